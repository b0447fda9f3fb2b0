// Question: how large does a process grow while it ingests a million ops, 1000 a call, and pages through them
// by 1 MiB? Method: a child process does only that, so that no rival's memory counts; the kernel's peak
// (VmHWM) is the answer. The server is not part of it.
#include <tests/bench/memory.hpp>

#include <tests/bench/questions.hpp>

#include <fmt/format.h>
#include <boost/process/child.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>

#include <filesystem>
#include <fstream>

namespace opstore::bench {
namespace {

namespace asio = boost::asio;

constexpr double allowed_mib = 200;
constexpr std::uint64_t page_bytes = 1 << 20;
constexpr char const* schema = "opstore_memory";

asio::awaitable<std::uint64_t> ingest_then_page(op_store& store, std::uint64_t ops) {
    for (std::uint64_t first = 0; first < ops; first += batch_ops) {
        auto batch = to_incoming(make_ops(first, batch_ops));
        auto const report = co_await store.process_incoming_ops(std::move(batch));
        insist(report.value().newly_stored.size() == batch_ops, "the store did not store the ops");
    }
    std::uint64_t paged = 0;
    auto from = arc::from_micros(0);
    for (bool more = true; more;) {
        auto const page = co_await store.retrieve_op_ids_bounded(arc::dht_arc::full(), from, page_bytes);
        paged += page.value().ids.size();
        from = page.value().next;
        more = page.value().next_op_bytes.has_value();
    }
    co_return paged;
}

std::string peak_resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            status >> word;
            return word;
        }
    }
    throw std::runtime_error("/proc/self/status names no VmHWM");
}

}  // namespace

void ingest_and_page(std::string const& conninfo, std::uint64_t ops) {
    space_set_up own;
    own.schema = schema;
    auto const store = open_space(conninfo, own);
    insist(run(ingest_then_page(*store, ops)) == ops, "the pages are not the space");
    fmt::print("{}\n", peak_resident_kib());
}

void ask_memory(stage& s, std::uint64_t scale) {
    boost::process::ipstream output;
    boost::process::child child(std::filesystem::read_symlink("/proc/self/exe").string(), memory_option,
                                s.server().conninfo(), std::to_string(scale),
                                boost::process::std_out > output);
    double kib = 0;
    output >> kib;
    child.wait();
    insist(child.exit_code() == 0 && kib > 0, "the process whose memory is measured failed");
    s.server().raw().execute(fmt::format("DROP SCHEMA {} CASCADE", schema));
    s.out().add_allowance("memory: ingest and page that many ops", scale, "MiB", kib / 1024, allowed_mib);
}

}  // namespace opstore::bench
