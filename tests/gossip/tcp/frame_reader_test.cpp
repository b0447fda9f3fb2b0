// Goal: the frames of a stream are found however it is cut, and nothing is allocated for a length that is not
// allowed. Method: streams of random frames, cut at random places and at every place, against the list of the
// frames; lengths around the limit.
#include <gossip/tcp/detail/frame_reader.hpp>

#include <tests/support/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

using namespace opstore::gossip::detail;
using opstore::testing::random_source;
using frames = std::vector<std::vector<std::byte>>;

namespace {

constexpr std::size_t limit = 300;

std::vector<std::byte> stream_of(frames const& all) {
    std::vector<std::byte> stream;
    for (auto const& frame : all) {
        auto const length = encode_length(frame.size());
        stream.insert(stream.end(), length.begin(), length.end());
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    return stream;
}

/// Feeds the stream in pieces of at most what `next_piece` says.
frames read_all(std::vector<std::byte> const& stream, std::function<std::size_t()> const& next_piece) {
    frame_reader reader(limit);
    frames found;
    std::size_t at = 0;
    while (at < stream.size()) {
        auto const space = reader.prepare();
        REQUIRE(!space.empty());
        auto const count = std::min({space.size(), next_piece(), stream.size() - at});
        std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(at), count, space.begin());
        at += count;
        if (reader.commit(count) == frame_reader::state::whole)
            found.push_back(reader.take());
    }
    return found;
}

frames random_frames(random_source& random) {
    frames all(1 + random.below(8));
    for (auto& frame : all)
        frame = random.bytes(random.one_in(4) ? 0 : random.below(limit + 1));
    return all;
}

}  // namespace

TEST_CASE("any cut of a stream gives the same frames") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        random_source random(seed);
        auto const all = random_frames(random);
        auto const stream = stream_of(all);
        CHECK(read_all(stream, [&] { return 1 + random.below(40); }) == all);
        CHECK(read_all(stream, [] { return std::size_t{1}; }) == all);
        CHECK(read_all(stream, [] { return std::size_t{1} << 20; }) == all);
    }
}

TEST_CASE("a stream that ends early has the frames that were whole, and no other") {
    random_source random(7);
    auto const all = random_frames(random);
    auto const stream = stream_of(all);
    for (std::size_t end = 0; end <= stream.size(); ++end) {
        std::size_t whole = 0, bytes = 0;
        while (whole < all.size() && bytes + length_bytes + all[whole].size() <= end)
            bytes += length_bytes + all[whole++].size();
        auto const cut =
            std::vector<std::byte>(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(end));
        auto const found = read_all(cut, [&] { return 1 + random.below(9); });
        CHECK(found == frames(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(whole)));
    }
}

TEST_CASE("a length is judged before its frame is read") {
    auto const state_after = [](std::size_t length) {
        frame_reader reader(limit);
        auto const encoded = encode_length(length);
        std::ranges::copy(encoded, reader.prepare().begin());
        return reader.commit(encoded.size());
    };
    CHECK(state_after(0) == frame_reader::state::whole);
    CHECK(state_after(1) == frame_reader::state::body);
    CHECK(state_after(limit - 1) == frame_reader::state::body);
    CHECK(state_after(limit) == frame_reader::state::body);
    CHECK(state_after(limit + 1) == frame_reader::state::too_large);
    CHECK(state_after(0xffffffff) == frame_reader::state::too_large);
}
