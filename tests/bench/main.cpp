// `make bench`: how fast the store is beside what a user would take instead, in one run. docs/benchmarks.md
// says how to read it.

#include <tests/bench/memory.hpp>
#include <tests/bench/questions.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <regex>
#include <string>
#include <vector>

namespace opstore::bench {
namespace {

struct options {
    std::string home = OPSTORE_BENCH_HOME;
    std::string only = ".";
    std::string scale = "default";
    std::string json;
    std::string markdown;

    options() = default;
};

/// Resident ops: each ten times the one before, so that growth shows.
std::vector<std::uint64_t> scales_of(std::string const& name) {
    if (name == "smoke") {
        return {1'000, 10'000};
    }
    if (name == "10m") {
        return {100'000, 1'000'000, 10'000'000};
    }
    return {100'000, 1'000'000};
}

struct question {
    char const* name;
    void (*ask)(stage&, std::uint64_t scale);
    bool each_scale = true;  ///< Else at the second one: a million, unless it is the smoke test.
};

/// In the order in which they are asked: those that store come first and last.
constexpr question questions[] = {{"ingest", ask_ingest},
                                  {"pages", ask_pages},
                                  {"reads", ask_reads},
                                  {"cold_start", ask_cold_start},
                                  {"minimal_snapshot", ask_minimal_snapshot},
                                  {"single_ops", ask_single_ops},
                                  {"memory", ask_memory, false}};

void write_files(options const& o, results const& out) {
    auto const write = [&](std::string const& name, auto const& how) {
        if (!name.empty()) {
            std::ofstream file(name);
            how(file);
            insist(file.flush().good(), "a file could not be written");
        }
    };
    write(o.json, [&](std::ostream& file) { out.write_json(file); });
    write(o.markdown, [&](std::ostream& file) { out.write_markdown(file); });
}

void run_all(options const& o) {
    std::regex const only(o.only);
    bench_server server(o.home);
    results out(std::cout);
    out.add_note(server.description() + "; SQLite " + sqlite_rival::version());
    stage s(server, out, o.scale == "smoke" ? stage::effort::smoke : stage::effort::full);
    auto const scales = scales_of(o.scale);
    for (std::size_t i = 0; i < scales.size(); ++i) {
        auto const scale = scales[i];
        for (auto const& q : questions) {
            bool const asked = q.each_scale || scale == scales[1];
            if (asked && std::regex_search(q.name, only)) {
                q.ask(s, scale);
            }
            // Ingest, the first one, does so by itself, if it is asked.
            s.fill(scale);
            if (i > 0) {
                s.fill_smaller(scales[i - 1]);
            }
        }
        write_files(o, out);
    }
}

}  // namespace
}  // namespace opstore::bench

int main(int argc, char** argv) try {
    using namespace opstore::bench;
    if (argc == 4 && std::string(argv[1]) == memory_option) {
        ingest_and_page(argv[2], std::stoull(argv[3]));
        return 0;
    }
    options o;
    CLI::App app("How fast the store is beside its rivals");
    app.add_option("--scale", o.scale,
                   "default: 100k and 1M resident ops; 10m: 10M too; smoke: a few, untimed")
        ->envname("BENCH_SCALE")
        ->check(CLI::IsMember({"default", "10m", "smoke"}));
    app.add_option("--only", o.only, "the questions whose name matches this regular expression")
        ->envname("BENCH_ONLY");
    app.add_option("--json", o.json, "where the rows go as JSON");
    app.add_option("--markdown", o.markdown, "where the rows go as a table for docs/benchmarks.md");
    app.add_option("--home", o.home, "of the private server; deleted and made anew");
    CLI11_PARSE(app, argc, argv);
    run_all(o);
} catch (std::exception const& e) {
    fmt::print(stderr, "bench: {}\n", e.what());
    return 1;
}
