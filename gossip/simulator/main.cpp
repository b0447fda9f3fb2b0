// opstore-sim: one simulation from its seed (docs/simulation.md).
#include <gossip/simulator/command_line.hpp>
#include <gossip/simulator/outcome_text.hpp>
#include <gossip/simulator/postgres_stores.hpp>
#include <gossip/simulator/simulation.hpp>

#include <opstore/errors.hpp>

#include <fmt/format.h>

#include <unistd.h>
#include <cstdio>
#include <memory>

namespace opstore::simulator {
namespace {

// As the opstore program's (docs/command-line.md).
constexpr int exit_good = 0;
constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr int exit_cannot_connect = 4;

void show_progress(progress const& p) {
    fmt::print(stderr, "\r{} {} s, {} events", p.healed ? "healed" : "faults",
               std::chrono::floor<std::chrono::seconds>(p.virtual_time).count(), p.events);
    if (p.missing > 0) {
        fmt::print(stderr, ", {} missing", p.missing);
    }
    fmt::print(stderr, "\033[K");
}

/// Output that did not get out is a failure, as of any program.
void print(std::string const& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        throw std::runtime_error("cannot write to stdout");
    }
}

outcome simulate(command_line const& line) {
    std::unique_ptr<store_provider> stores;
    if (line.chosen.store == store_choice::postgres) {
        stores = std::make_unique<postgres_stores>();
    } else {
        stores = std::make_unique<memory_stores>();
    }
    simulation run(line.chosen, *stores);
    bool const terminal = ::isatty(STDERR_FILENO) == 1;
    if (line.log) {
        run.on_log([](std::string_view text) { fmt::print(stderr, "{}\n", text); });
    } else if (terminal) {
        run.on_progress(show_progress);
    }
    auto result = run.run();
    if (terminal) {
        fmt::print(stderr, "\r\033[K");
    }
    return result;
}

int run(int argc, char const* const* argv) {
    try {
        auto const line = parse_command_line(argc, argv);
        if (!line) {
            return exit_good;
        }
        print(line->json ? json_start(line->chosen) : text_of(line->chosen));
        auto const result = simulate(*line);
        print(line->json ? json_end(result) : text_of(result));
        if (!result.good()) {
            fmt::print(stderr, "opstore-sim: failed; again with:\n{}\n", replay_command(line->chosen));
        }
        return result.good() ? exit_good : exit_failure;
    } catch (usage_error const& e) {
        fmt::print(stderr, "opstore-sim: {}\n", e.what());
        return exit_usage;
    } catch (store_error const& e) {
        fmt::print(stderr, "opstore-sim: {}\n", e.what());
        return e.code() == errc::unavailable ? exit_cannot_connect : exit_failure;
    } catch (std::exception const& e) {
        fmt::print(stderr, "opstore-sim: {}\n", e.what());
        return exit_failure;
    }
}

}  // namespace
}  // namespace opstore::simulator

int main(int argc, char** argv) {
    return opstore::simulator::run(argc, argv);
}
