#include <opstore/tool/interrupt.hpp>

#include <csignal>

namespace opstore::tool {
namespace {

volatile std::sig_atomic_t asked_to_end = 0;

}  // namespace

void watch_interrupts() {
    // Without SA_RESTART, for the sake of reads; the second one ends the process as ever.
    struct sigaction action {};
    action.sa_handler = [](int) { asked_to_end = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
    return asked_to_end != 0;
}

}  // namespace opstore::tool
