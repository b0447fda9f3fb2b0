// Goal: a plan follows from its seed alone, prints so that it can be set again, and fits together. Method:
// many seeds; every option by its text; the documentation's table.
#include <gossip/simulator/arc_layout.hpp>
#include <gossip/simulator/plan.hpp>
#include <gossip/simulator/timetable.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace opstore::simulator {
namespace {

constexpr std::uint64_t seeds = 500;

TEST_CASE("plan: what is printed, set on another seed's plan, gives the same plan") {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        plan drawn = draw_plan(seed);
        complete(drawn);
        plan other = draw_plan(seed + 1);
        std::set<std::string, std::less<>> given;
        for (plan_option const& option : plan_options()) {
            CAPTURE(option.name);
            CHECK(option.read(other, option.text(drawn)));
            given.emplace(option.name);
        }
        complete(other, given);
        for (plan_option const& option : plan_options()) {
            CAPTURE(option.name);
            CHECK(option.text(other) == option.text(drawn));
            CHECK(option.value(other) == option.value(drawn));
        }
    }
}

TEST_CASE("plan: seeds differ, and between them draw every word of every option") {
    std::set<std::string> all;
    std::map<std::string_view, std::set<std::string>> values;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        plan p = draw_plan(seed);
        complete(p);
        std::string text;
        for (plan_option const& option : plan_options()) {
            text += option.text(p) + ' ';
            values[option.name].insert(option.text(p));
        }
        all.insert(text);
    }
    CHECK(all.size() == seeds);
    CHECK(values["arcs"].size() == 2);
    CHECK(values["topology"].size() == 4);
    CHECK(values["start"].size() == 3);
    CHECK(values["strategy"].size() == 3);
    for (auto const* name :
         {"loss", "duplicate", "reorder", "partition", "crash", "late", "leave", "history"}) {
        CAPTURE(name);
        CHECK(values[name].contains("0%"));
        CHECK(values[name].size() > 20);
    }
}

TEST_CASE("plan: an option refuses what is no value of it") {
    for (plan_option const& option : plan_options()) {
        plan p = draw_plan(1);
        CAPTURE(option.name);
        CHECK_FALSE(option.read(p, ""));
        CHECK_FALSE(option.read(p, "nonsense"));
        CHECK_FALSE(option.read(p, "-1"));
    }
    plan p = draw_plan(1);
    auto const option = std::ranges::find(plan_options(), "peers", &plan_option::name);
    CHECK_FALSE(option->read(p, "1"));
    CHECK(option->read(p, "2"));
    CHECK(option->read(p, "100000"));
    CHECK_FALSE(option->read(p, "100001"));
}

TEST_CASE("plan: at least two peers last, whatever shares join late and leave") {
    for (std::uint32_t peers = 2; peers < 40; ++peers) {
        for (std::uint32_t late = 0; late <= share::whole; late += share::whole / 10) {
            plan p = draw_plan(peers);
            p.peers = peers;
            p.late = share{late};
            p.leave = share{share::whole - late / 2};
            complete(p);
            auto const table = draw_timetable(p);
            CHECK(std::ranges::count_if(table.fates, &timetable::fate::lasting) >= 2);
        }
    }
}

TEST_CASE("plan: the documentation names every option") {
    std::ifstream file(OPSTORE_DOCS "/simulation.md");
    std::stringstream text;
    text << file.rdbuf();
    for (plan_option const& option : plan_options()) {
        CAPTURE(option.name);
        CHECK(text.str().find(fmt::format("| `--{}` |", option.name)) != std::string::npos);
    }
}

TEST_CASE("timetable: everything happens within the fault phase, and every op is created once") {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        plan p = draw_plan(seed);
        complete(p);
        auto const table = draw_timetable(p);
        CHECK(table.heals_at - table.starts_at == p.fault_phase);
        auto const within = [&](arc::timestamp at) { return at >= table.starts_at && at <= table.heals_at; };
        CHECK(std::ranges::all_of(table.fates, within, &timetable::fate::joins_at));
        CHECK(std::ranges::all_of(table.crashes, within, &timetable::crash::at));
        CHECK(std::ranges::all_of(table.splits, within, &timetable::split::until));
        CHECK(std::ranges::all_of(table.batches, within, &timetable::batch::at));
        std::uint64_t ops = table.history_op_count;
        for (auto const& batch : table.batches) {
            CHECK(batch.op_count <= p.batch_max);
            ops += batch.op_count;
        }
        CHECK(ops == p.ops);
    }
}

}  // namespace
}  // namespace opstore::simulator
