#include <gossip/simulator/outcome_text.hpp>

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace opstore::simulator {
namespace {

namespace json = boost::json;

using line = std::pair<std::string_view, std::uint64_t>;

std::uint64_t seconds(microseconds duration) {
    return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

/// The numbers of an outcome, under the names that reports give them.
std::vector<line> numbers_of(outcome const& o) {
    return {
        {"lost", o.lost},
        {"invented", o.invented},
        {"missing", o.missing},
        {"violations", o.violations},
        {"virtual_seconds", seconds(o.virtual_time)},
        {"healed_seconds", seconds(o.healed_time)},
        {"rounds", o.rounds},
        {"rounds_completed", o.rounds_completed},
        {"rounds_timed_out", o.rounds_timed_out},
        {"messages", o.messages},
        {"messages_lost", o.messages_lost},
        {"bytes", o.bytes},
        {"events", o.events},
        {"ops_created", o.ops_created},
        {"ops_surviving", o.ops_surviving},
        {"ops_fetched", o.ops_fetched},
        {"ops_served", o.ops_served},
        {"ops_refused", o.ops_refused},
        {"peers_present", o.peers_present},
        {"joined_late", o.joined_late},
        {"left", o.left},
        {"crashes", o.crashes},
        {"protocol_errors", o.protocol_errors},
        {"store_errors", o.store_errors},
    };
}

}  // namespace

std::string replay_command(plan const& p) {
    auto command = fmt::format("opstore-sim {}", p.seed);
    for (plan_option const& option : plan_options()) {
        command += fmt::format(" --{} {}", option.name, option.text(p));
    }
    return command;
}

std::string text_of(plan const& p) {
    auto text = fmt::format("seed {}\n", p.seed);
    for (plan_option const& option : plan_options()) {
        text += fmt::format("{} {}\n", option.name, option.text(p));
    }
    return text;
}

std::string text_of(outcome const& o) {
    auto text = fmt::format("\nconverged {}\n", o.converged ? "yes" : "no");
    for (auto const& [name, value] : numbers_of(o)) {
        text += fmt::format("{} {}\n", name, value);
    }
    for (auto const& detail : o.details) {
        text += fmt::format("violation: {}\n", detail);
    }
    text += fmt::format("state_hash {}\nevent_hash {}\n", o.state_hash, o.event_hash);
    return text + (o.good() ? "good\n" : "FAILED\n");
}

std::string json_start(plan const& p) {
    json::object options;
    for (plan_option const& option : plan_options()) {
        std::string name(option.name);
        std::ranges::replace(name, '-', '_');
        options[name] = option.value(p);
    }
    auto start = json::serialize(json::object{{"seed", p.seed}, {"options", options}});
    start.pop_back();  // The document goes on.
    return start;
}

std::string json_end(outcome const& o) {
    json::object end{{"converged", o.converged}};
    for (auto const& [name, value] : numbers_of(o)) {
        end[name] = value;
    }
    json::array details;
    for (auto const& detail : o.details) {
        details.emplace_back(detail);
    }
    end["details"] = details;
    end["state_hash"] = o.state_hash;
    end["event_hash"] = o.event_hash;
    auto text = json::serialize(end);
    text.front() = ',';
    return text + "\n";
}

}  // namespace opstore::simulator
