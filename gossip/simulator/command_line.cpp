#include <gossip/simulator/command_line.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <map>
#include <set>

namespace opstore::simulator {
namespace {

constexpr char const* description =
    "Runs peers with the production code over virtual time and a network with faults.\n"
    "The seed draws every option; a flag replaces what was drawn. Exit code: 0 if the network converged "
    "with\n"
    "nothing lost or invented, 1 if not, 2 for wrong usage.";

constexpr char const* notation =
    "SHARE: 5%, 5 or 0.05 (below 1 it is the share itself, else percent). DURATION: 20ms, 1.5s, 2m, 3h, 4d; "
    "a\n"
    "number alone is in milliseconds for --latency, --jitter and --skew, else in seconds. BYTES: 4096, 4K, "
    "1M.";

}  // namespace

std::optional<command_line> parse_command_line(int argc, char const* const* argv) {
    CLI::App app(description, "opstore-sim");
    app.footer(notation);
    app.set_version_flag("--version", OPSTORE_VERSION);
    std::string seed;
    app.add_option("SEED", seed, "0 to 2^64 - 1")->required();
    command_line line;
    std::map<std::string, std::string, std::less<>> given;
    for (plan_option const& option : plan_options()) {
        std::string const name(option.name);
        auto const take = [&given, name](std::string const& text) { given[name] = text; };
        app.add_option_function<std::string>("--" + name, take, std::string(option.help))
            ->type_name(std::string(option.value_name));
    }
    app.add_flag("--json", line.json, "The result as one JSON document");
    app.add_flag("--log", line.log, "What the peers log, on stderr");
    try {
        app.parse(argc, argv);
    } catch (CLI::Success const& asked_for_text) {
        app.exit(asked_for_text);
        return std::nullopt;
    } catch (CLI::ParseError const& e) {
        throw usage_error(fmt::format("{} (opstore-sim --help lists what there is)", e.what()));
    }

    auto const number = parse_number(seed);
    if (!number) {
        throw usage_error(fmt::format("'{}' is no seed: a number from 0 to 2^64 - 1", seed));
    }
    line.chosen = draw_plan(*number);
    std::set<std::string, std::less<>> names;
    for (plan_option const& option : plan_options()) {
        auto const at = given.find(option.name);
        if (at == given.end()) {
            continue;
        }
        if (!option.read(line.chosen, at->second)) {
            throw usage_error(
                fmt::format("--{}: '{}' is no {} that it takes", option.name, at->second, option.value_name));
        }
        names.emplace(option.name);
    }
    complete(line.chosen, names);
    return line;
}

}  // namespace opstore::simulator
