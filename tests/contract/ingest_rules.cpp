// Goal: rule 1 of docs/contract.md, process_incoming_ops. Method: examples at every limit, through a format
// in which a test chooses ids, times and places.
#include <tests/contract/contract_suite.hpp>
#include <tests/support/signing_key.hpp>

#include <doctest/doctest.h>

#include <array>

namespace opstore::testing {
namespace {

/// The reasons of a report as text, by index.
std::string rejections(ingest_report const& report) {
    std::string text;
    for (auto const& r : report.rejected) {
        CHECK_FALSE(r.message.empty());
        text += std::to_string(r.index) + ":" + std::string(to_string(r.reason)) + " ";
    }
    return text;
}

std::vector<op_id> newly_stored_ids(ingest_report const& report) {
    std::vector<op_id> list;
    for (auto const& op : report.newly_stored) {
        list.push_back(op.id);
    }
    return list;
}

}  // namespace

TEST_CASE("1 ingest: answers the id of every held op in input order, repeats and ops held before included") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(only(chosen_op(id_at(5), at(50)))));
        std::vector<incoming_op> const batch{chosen_op(id_at(9), at(90), "nine"), chosen_op(id_at(5), at(50)),
                                             chosen_op(id_at(1), at(10)),
                                             chosen_op(id_at(9), at(90), "nine")};
        auto const report = get(space->process_incoming_ops(batch));
        CHECK(report.held == ids({id_at(9), id_at(5), id_at(1), id_at(9)}));
        CHECK(newly_stored_ids(report) == ids({id_at(9), id_at(1)}));
        CHECK(report.newly_stored[0].created_at == at(90));
        CHECK(report.newly_stored[1].created_at == at(10));
        CHECK(report.newly_stored_bytes == batch[0].data.size() + batch[2].data.size());
        CHECK(report.duplicate_count() == 2);
        CHECK(report.rejected.empty());
    });
}

TEST_CASE("1 ingest: a bad op is rejected alone, with its index and its reason") {
    auto options = chosen_space();
    options.max_op_bytes = 30;
    options.max_future = std::chrono::microseconds(10);
    on_each_store(options, [](store_under_test& space) {
        auto const now = arc::to_micros(start_time);
        std::vector<incoming_op> batch{chosen_op(id_at(1), at(1)),
                                       incoming_op(bytes_of("short")),
                                       chosen_op(id_at(2), at(1)),
                                       chosen_op(id_at(3), at(1)),
                                       chosen_op(id_at(4), at(1)),
                                       chosen_op(id_at(5), at(-1)),
                                       chosen_op(id_at(6), at(1), "this payload is too long"),
                                       chosen_op(id_at(7), at(now + 11)),
                                       chosen_op(id_at(8), at(1)),
                                       chosen_op(id_at(9), at(now + 10))};
        batch[2].claimed_id = id_at(99);
        batch[3].claimed_id = chosen_id(3, arc::location{0}, chosen_id_length + 1);
        batch[4].metadata = bytes_of(metadata_short_id);
        batch[8].metadata = bytes_of(metadata_refuse);
        auto const report = get(space->process_incoming_ops(batch));
        CHECK(report.held == ids({id_at(1), id_at(9)}));
        CHECK(newly_stored_ids(report) == report.held);
        CHECK(
            rejections(report) ==
            "1:unreadable 2:wrong_id 3:wrong_id_length 4:wrong_id_length 5:created_before_epoch 6:too_large "
            "7:too_far_in_future 8:refused_by_host ");
        CHECK(get(space->query_total_op_count()) == 2);
    });
}

TEST_CASE("1 ingest: a claimed id is checked, never trusted") {
    on_each_store([](store_under_test& space) {
        auto op = chosen_op(id_at(1), at(1));
        op.claimed_id = id_at(2);
        CHECK(rejections(get(space->process_incoming_ops(only(op)))) == "0:wrong_id ");
        op.claimed_id = op_id();
        CHECK(rejections(get(space->process_incoming_ops(only(op)))) == "0:wrong_id_length ");
        CHECK(get(space->filter_out_existing_ops(ids({id_at(1), id_at(2)}))).size() == 2);
        op.claimed_id = id_at(1);
        CHECK(get(space->process_incoming_ops(only(op))).held == ids({id_at(1)}));
    });
}

TEST_CASE("1 ingest: first write wins, an op never changes") {
    on_each_store([](store_under_test& space) {
        auto const first = chosen_op(id_at(1), at(100), "first");
        get(space->process_incoming_ops(only(first)));
        auto const before = get(space->retrieve_ops(ids({id_at(1)})));
        std::vector<incoming_op> const others{chosen_op(id_at(1), at(7), "another, longer payload"),
                                              chosen_op(id_at(2), at(1), "a"),
                                              chosen_op(id_at(2), at(2), "b")};
        auto const report = get(space->process_incoming_ops(others));
        CHECK(report.held == ids({id_at(1), id_at(2), id_at(2)}));
        CHECK(newly_stored_ids(report) == ids({id_at(2)}));
        CHECK(report.newly_stored[0].created_at == at(1));
        CHECK(report.newly_stored_bytes == others[1].data.size());
        auto const after = get(space->retrieve_ops(ids({id_at(1), id_at(2)})));
        REQUIRE(after.size() == 2);
        CHECK(after[0].data == first.data);
        CHECK(after[0].created_at == at(100));
        CHECK(after[0].stored_at == before[0].stored_at);
        CHECK(after[1].data == others[1].data);
        CHECK(get(space->earliest_timestamp_in_arc(arc::dht_arc::full())) == at(1));
        CHECK(get(space->stat()).op_bytes == first.data.size() + others[1].data.size());
    });
}

TEST_CASE("1 ingest: each op is newly stored in exactly one call") {
    on_each_store([](store_under_test& space) {
        for (std::uint32_t first = 0; first < 40; first += 5) {
            auto const report = get(space->process_incoming_ops(numbered_ops(first, 10, at(first))));
            CHECK(report.held.size() == 10);
            CHECK(report.newly_stored.size() == (first == 0 ? 10 : 5));
        }
        CHECK(get(space->query_total_op_count()) == 45);
    });
}

TEST_CASE("1 ingest: a size up to and including max_op_bytes") {
    auto options = chosen_space();
    options.max_op_bytes = chosen_op(id_at(1), at(0), "1234").data.size();
    on_each_store(options, [](store_under_test& space) {
        std::vector<incoming_op> const batch{chosen_op(id_at(1), at(0), "123"),
                                             chosen_op(id_at(2), at(0), "1234"),
                                             chosen_op(id_at(3), at(0), "12345")};
        auto const report = get(space->process_incoming_ops(batch));
        CHECK(report.held == ids({id_at(1), id_at(2)}));
        CHECK(rejections(report) == "2:too_large ");
    });
}

TEST_CASE("1 ingest: created_at from the epoch to the end of time, but never before the epoch") {
    on_each_store([](store_under_test& space) {
        std::vector<incoming_op> const batch{chosen_op(id_at(1), at(INT64_MIN)), chosen_op(id_at(2), at(-1)),
                                             chosen_op(id_at(3), at(0)), chosen_op(id_at(4), at(INT64_MAX))};
        auto const report = get(space->process_incoming_ops(batch));
        CHECK(rejections(report) == "0:created_before_epoch 1:created_before_epoch ");
        auto const stored = get(space->retrieve_ops(report.held));
        REQUIRE(stored.size() == 2);
        CHECK(stored[0].created_at == at(0));
        CHECK(stored[1].created_at == at(INT64_MAX));
    });
}

TEST_CASE("1 ingest: max_future is off by default, else inclusive and by the store's clock") {
    auto options = chosen_space();
    options.max_future = std::chrono::hours(1);
    on_each_store(options, [](store_under_test& space) {
        auto const limit = arc::to_micros(start_time) + 3'600'000'000;
        std::vector<incoming_op> const batch{chosen_op(id_at(1), at(limit - 1)),
                                             chosen_op(id_at(2), at(limit)),
                                             chosen_op(id_at(3), at(limit + 1))};
        CHECK(rejections(get(space->process_incoming_ops(batch))) == "2:too_far_in_future ");
        space.clock.step(std::chrono::microseconds(1));
        CHECK(get(space->process_incoming_ops(batch)).held.size() == 3);
    });
}

TEST_CASE("1 ingest: an empty batch and a batch of bad ops change nothing") {
    on_each_store([](store_under_test& space) {
        get(space->process_incoming_ops(only(chosen_op(id_at(1), at(1)))));
        auto const before = get(space->stat());
        auto const empty = get(space->process_incoming_ops({}));
        CHECK(empty.held.empty());
        CHECK(empty.newly_stored.empty());
        CHECK(empty.rejected.empty());
        CHECK(empty.newly_stored_bytes == 0);
        CHECK(rejections(get(space->process_incoming_ops(only(incoming_op())))) == "0:unreadable ");
        auto const after = get(space->stat());
        CHECK(after.watermark == before.watermark);
        CHECK(after.op_count == 1);
    });
}

TEST_CASE("1 ingest: ids and payloads of every byte value, NUL included, come back unchanged") {
    on_each_store([](store_under_test& space) {
        std::vector<incoming_op> batch;
        std::vector<op_id> names;
        std::string payload;
        for (int value = 0; value < 256; ++value) {
            std::array<std::byte, chosen_id_length> bytes;
            bytes.fill(static_cast<std::byte>(value));
            names.emplace_back(bytes);
            payload.push_back(static_cast<char>(value));
            batch.push_back(chosen_op(names.back(), at(value), payload));
        }
        CHECK(get(space->process_incoming_ops(batch)).newly_stored.size() == 256);
        auto const stored = get(space->retrieve_ops(names));
        REQUIRE(stored.size() == 256);
        for (std::size_t i = 0; i < 256; ++i) {
            CHECK(stored[i].id == names[i]);
            CHECK(stored[i].data == batch[i].data);
        }
        CHECK(get(space->retrieve_op_hashes_in_time_slice(arc::dht_arc::full(), at(0), at(256))).ids ==
              names);
    });
}

TEST_CASE("1 ingest: ids that differ in leading or trailing NULs are different ops") {
    on_each_store([](store_under_test& space) {
        std::vector<op_id> names;
        std::vector<incoming_op> batch;
        for (std::size_t place = 0; place <= chosen_id_length; ++place) {
            std::array<std::byte, chosen_id_length> bytes{};
            if (place < chosen_id_length) {
                bytes[place] = std::byte{'x'};
            }
            names.emplace_back(bytes);
            batch.push_back(chosen_op(names.back(), at(1)));
        }
        CHECK(get(space->process_incoming_ops(batch)).newly_stored.size() == names.size());
        CHECK(get(space->process_incoming_ops(batch)).newly_stored.empty());
        CHECK(get(space->retrieve_ops(names)).size() == names.size());
        CHECK(get(space->filter_out_existing_ops(names)).empty());
    });
}

TEST_CASE("1 ingest: ids of 1 and of 64 bytes, the shortest and the longest") {
    for (std::size_t length : {std::size_t{1}, op_id::length_max}) {
        auto options = chosen_space();
        options.format = chosen_id_format(length);
        on_each_store(options, [&](store_under_test& space) {
            CAPTURE(length);
            std::vector<std::byte> bytes(length, std::byte{0});
            op_id const low(bytes);
            bytes.back() = std::byte{0xff};
            op_id const high(bytes);
            std::vector<incoming_op> const batch{chosen_op(high, at(1)), chosen_op(low, at(1))};
            CHECK(get(space->process_incoming_ops(batch)).held == ids({high, low}));
            auto const full = arc::dht_arc::full();
            CHECK(get(space->retrieve_op_hashes_in_time_slice(full, at(1), at(2))).ids == ids({low, high}));
            CHECK(get(space->retrieve_op_ids_bounded(full, at(0), 1000)).ids == ids({high, low}));
            CHECK(get(space->filter_out_existing_ops(ids({op_id(), low}))).empty());
        });
    }
}

TEST_CASE("1 ingest: an empty payload and a payload of a megabyte") {
    on_each_store([](store_under_test& space) {
        std::vector<incoming_op> const batch{chosen_op(id_at(1), at(1)),
                                             chosen_op(id_at(2), at(1), std::string(1 << 20, '\0'))};
        get(space->process_incoming_ops(batch));
        auto const stored = get(space->retrieve_ops(ids({id_at(2), id_at(1)})));
        REQUIRE(stored.size() == 2);
        CHECK(stored[0].data == batch[1].data);
        CHECK(stored[1].data == batch[0].data);
    });
}

TEST_CASE("1 ingest: on return the ops are visible to every method") {
    on_each_store([](store_under_test& space) {
        auto const full = arc::dht_arc::full();
        for (std::uint32_t name = 1; name <= 20; ++name) {
            auto const op = chosen_op(id_at(name, name << 24), at(1000 - name));
            auto const before = get(space->retrieve_op_ids_bounded(full, at(0), UINT64_MAX)).next;
            get(space->process_incoming_ops(only(op)));
            CHECK(get(space->retrieve_ops(ids({id_at(name, name << 24)}))).size() == 1);
            CHECK(get(space->filter_out_existing_ops(ids({id_at(name, name << 24)}))).empty());
            CHECK(get(space->retrieve_op_ids_bounded(full, before, UINT64_MAX)).ids.size() == 1);
            CHECK(get(space->earliest_timestamp_in_arc(full)) == at(1000 - name));
            CHECK(get(space->retrieve_op_hashes_in_time_slice(full, at(0), at(1001))).ids.size() == name);
            CHECK(get(space->query_total_op_count()) == name);
        }
    });
}

TEST_CASE("1 ingest: stamps grow strictly, in the order of the batch, near the wall clock") {
    on_each_store([](store_under_test& space) {
        auto const first = get(space->process_incoming_ops(numbered_ops(0, 100, at(0)))).held;
        space.clock.step(std::chrono::hours(1));
        auto const second = get(space->process_incoming_ops(numbered_ops(100, 100, at(0)))).held;
        std::int64_t last = arc::to_micros(start_time) - 1;
        for (auto const& op : get(space->retrieve_ops(first))) {
            CHECK(arc::to_micros(op.stored_at) == last + 1);
            last = arc::to_micros(op.stored_at);
        }
        CHECK(get(space->retrieve_ops(second))[0].stored_at == space.clock.now());
        CHECK(arc::to_micros(get(space->stat()).watermark) == arc::to_micros(space.clock.now()) + 99);
    });
}

TEST_CASE("1 ingest: a clock that steps back an hour does not turn stamps back") {
    on_each_store([](store_under_test& space) {
        auto const ahead = get(space->process_incoming_ops(numbered_ops(0, 10, at(0)))).held;
        space.clock.step(-std::chrono::hours(1));
        auto const behind = get(space->process_incoming_ops(numbered_ops(10, 10, at(0)))).held;
        auto const stored_ahead = get(space->retrieve_ops(ahead));
        auto const stored_behind = get(space->retrieve_ops(behind));
        for (std::size_t i = 0; i < 10; ++i) {
            CHECK(arc::to_micros(stored_behind[i].stored_at) ==
                  arc::to_micros(stored_ahead[9].stored_at) + 1 + static_cast<std::int64_t>(i));
        }
        space.clock.step(std::chrono::hours(2));
        auto const later = get(space->process_incoming_ops(numbered_ops(20, 1, at(0)))).held;
        CHECK(get(space->retrieve_ops(later))[0].stored_at == space.clock.now());
    });
}

TEST_CASE("1 ingest: 10 000 ops in one microsecond have 10 000 stamps") {
    on_each_store([](store_under_test& space) {
        std::vector<op_id> held;
        for (std::uint32_t call = 0; call < 10; ++call) {
            auto const report = get(space->process_incoming_ops(numbered_ops(call * 1000, 1000, at(0))));
            held.insert(held.end(), report.held.begin(), report.held.end());
        }
        CHECK(get(space->stat()).watermark == at(arc::to_micros(start_time) + 9'999));
        CHECK(follow_pages(*space.store, arc::dht_arc::full(), at(0), 1000) == held);
    });
}

TEST_CASE("1 ingest: the three built-in formats") {
    auto const payload = bytes_of("payload");
    auto const key = signing_key();
    for (auto const& format : {plain_format(), located_format(), signed_format()}) {
        auto options = chosen_space();
        options.format = format;
        on_each_store(options, [&](store_under_test& space) {
            CAPTURE(format->name());
            op_bytes const op = format->name() == "plain" ? encode_plain(at(5), payload)
                                : format->name() == "located"
                                    ? encode_located(at(5), arc::location{7}, payload)
                                    : encode_signed(key, at(5), payload);
            auto const report = get(space->process_incoming_ops(only(incoming_op(op))));
            auto const stored = get(space->retrieve_ops(report.held));
            REQUIRE(stored.size() == 1);
            CHECK(stored[0].id == format->decode(op, {})->id);
            CHECK(stored[0].location == format->locate(stored[0].id));
            CHECK(stored[0].created_at == at(5));
            CHECK(stored[0].data == op);
        });
    }
}

TEST_CASE("1 ingest: a signature that does not hold is a rejection") {
    auto options = chosen_space();
    options.format = signed_format();
    on_each_store(options, [](store_under_test& space) {
        auto forged = encode_signed(signing_key(), at(5), bytes_of("payload"));
        forged.back() ^= std::byte{1};
        CHECK(rejections(get(space->process_incoming_ops(only(incoming_op(forged))))) == "0:bad_signature ");
        CHECK(get(space->query_total_op_count()) == 0);
    });
}

}  // namespace opstore::testing
