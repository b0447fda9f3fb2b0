#include <gossip/agents/agent_info.hpp>
#include <opstore/base64.hpp>
#include <opstore/space.hpp>

#include <fmt/format.h>
#include <sodium.h>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <utility>

namespace opstore::gossip {
namespace {

namespace json = boost::json;

static_assert(crypto_sign_SECRETKEYBYTES == std::tuple_size_v<agent_key>);
static_assert(crypto_sign_SEEDBYTES == 32);
constexpr std::size_t space_bytes_max = space_options::key_bytes_max;
constexpr std::size_t key_bytes = crypto_sign_PUBLICKEYBYTES;

/// Nothing that we read is nested deeper than an array in an object; what comes later may be a little.
constexpr std::size_t depth_max = 16;

unsigned char const* sodium_bytes(std::span<const std::byte> bytes) {
    return reinterpret_cast<unsigned char const*>(bytes.data());
}
unsigned char const* sodium_bytes(std::string_view text) {
    return reinterpret_cast<unsigned char const*>(text.data());
}

/// Chooses libsodium's fastest code for this machine, once; safe from many threads.
void start_sodium() {
    static int const state = sodium_init();
    if (state < 0) {
        throw std::runtime_error("libsodium cannot be initialised");
    }
}

protocol_error bad(std::string message) {
    return {protocol_errc::bad_agent_info, std::move(message)};
}

/// The characters of RFC 3986 and no others, so that no url needs an escape in JSON or spoils a log.
bool is_url(std::string_view text) {
    return !text.empty() && text.size() <= url_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c <= '~' && c != '"' && c != '\\';
    });
}

/// Decimal and whole, as kitsune2 writes a time.
std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

std::optional<arc::location> location_of(json::value const& number) {
    std::uint64_t location = std::numeric_limits<std::uint64_t>::max();
    if (number.is_uint64()) {
        location = number.get_uint64();
    } else if (number.is_int64() && number.get_int64() >= 0) {
        location = static_cast<std::uint64_t>(number.get_int64());
    }
    if (location > std::numeric_limits<std::uint32_t>::max()) {
        return std::nullopt;
    }
    return arc::location{static_cast<std::uint32_t>(location)};
}

/// Reads an object by its fields, and keeps the first thing that is wrong with it.
class field_reader {
public:
    explicit field_reader(json::object const& of) : of_(of) {}

    std::optional<std::string> const& complaint() const { return complaint_; }

    /// Empty if there is a complaint.
    std::string_view text(std::string_view name) {
        auto const* const field = of_.if_contains(name);
        auto const* const text = field ? field->if_string() : nullptr;
        if (!text) {
            complain(name, field ? "is not a string" : "is missing");
        }
        return text ? std::string_view(*text) : std::string_view();
    }

    std::vector<std::byte> bytes(std::string_view name) {
        auto bytes = from_base64(text(name), base64_form::url_unpadded);
        if (!bytes) {
            complain(name, "is not base64url without padding");
            return {};
        }
        return std::move(*bytes);
    }

    std::vector<std::byte> bytes(std::string_view name, std::size_t count_max) {
        auto result = bytes(name);
        if (result.empty() || result.size() > count_max) {
            complain(name, fmt::format("has {} bytes, not 1 to {}", result.size(), count_max));
        }
        return result;
    }

    arc::timestamp time(std::string_view name) {
        auto const micros = whole_number(text(name));
        if (!micros) {
            complain(name, "is no decimal number of microseconds");
        }
        return arc::from_micros(micros.value_or(0));
    }

    bool flag(std::string_view name) {
        auto const* const field = of_.if_contains(name);
        auto const* const flag = field ? field->if_bool() : nullptr;
        if (!flag) {
            complain(name, field ? "is neither true nor false" : "is missing");
        }
        return flag && *flag;
    }

    std::optional<std::string> url(std::string_view name) {
        if (is_absent(name)) {
            return std::nullopt;
        }
        auto const url = text(name);
        if (!is_url(url)) {
            complain(name, fmt::format("is no url of 1 to {} characters", url_bytes_max));
        }
        return std::string(url);
    }

    arc::dht_arc arc(std::string_view name) {
        if (is_absent(name)) {
            return arc::dht_arc::empty();
        }
        auto const* const ends = of_.at(name).if_array();
        if (!ends || ends->size() != 2) {
            complain(name, "is not an array of two locations");
            return arc::dht_arc::empty();
        }
        auto const start = location_of((*ends)[0]);
        auto const end = location_of((*ends)[1]);
        if (!start || !end) {
            complain(name, "has an end that is no whole number from 0 to 4294967295");
            return arc::dht_arc::empty();
        }
        return arc::dht_arc::between(*start, *end);
    }

private:
    bool is_absent(std::string_view name) const {
        auto const* const field = of_.if_contains(name);
        return !field || field->is_null();
    }

    void complain(std::string_view name, std::string_view about) {
        if (!complaint_) {
            complaint_ = fmt::format("{} {}", name, about);
        }
    }

    json::object const& of_;
    std::optional<std::string> complaint_;
};

/// An object whose memory comes from `memory`.
protocol_result<json::object> object_of(std::string_view text, json::storage_ptr memory) {
    json::parse_options options;
    options.max_depth = depth_max;
    boost::system::error_code error;
    auto value = json::parse(text, error, std::move(memory), options);
    if (error) {
        return bad(fmt::format("no JSON: {}", error.message()));
    }
    if (!value.is_object()) {
        return bad("no JSON object");
    }
    return std::move(value.as_object());
}

struct signed_info {
    agent_info info;
    std::string inner;  ///< As received, which is what was signed.
    std::vector<std::byte> signature;
};

protocol_result<agent_info> read_inner(std::string_view text, json::storage_ptr memory) {
    auto const object = object_of(text, std::move(memory));
    if (!object) {
        return object.error();
    }
    field_reader fields(*object);
    agent_info info;
    info.agent = fields.bytes("agent", agent_id_bytes_max);
    info.space = fields.bytes("space", space_bytes_max);
    info.created_at = fields.time("createdAt");
    info.expires_at = fields.time("expiresAt");
    info.is_tombstone = fields.flag("isTombstone");
    info.url = fields.url("url");
    info.storage_arc = fields.arc("storageArc");
    if (fields.complaint()) {
        return bad(*fields.complaint());
    }
    return info;
}

protocol_result<signed_info> read(std::string_view signed_json) {
    if (signed_json.size() > agent_info_bytes_max) {
        return protocol_error(protocol_errc::too_large,
                              fmt::format("an agent info has {} bytes, more than {}", signed_json.size(),
                                          agent_info_bytes_max));
    }
    // Enough for most: agents are met by the thousand.
    std::array<unsigned char, 2 * agent_info_bytes_max> buffer;
    json::monotonic_resource memory(buffer.data(), buffer.size());
    auto const object = object_of(signed_json, &memory);
    if (!object) {
        return object.error();
    }
    field_reader fields(*object);
    signed_info result;
    auto const inner = fields.text("agentInfo");
    result.signature = fields.bytes("signature");
    if (fields.complaint()) {
        return bad(*fields.complaint());
    }
    auto info = read_inner(inner, &memory);
    if (!info) {
        return info.error();
    }
    result.info = std::move(*info);
    result.inner = std::string(inner);
    return result;
}

/// Keys in kitsune2's order; what is absent is null.
std::string inner_text(agent_info const& info) {
    json::object inner;
    inner["agent"] = to_base64(info.agent, base64_form::url_unpadded);
    inner["space"] = to_base64(info.space, base64_form::url_unpadded);
    inner["createdAt"] = std::to_string(arc::to_micros(info.created_at));
    inner["expiresAt"] = std::to_string(arc::to_micros(info.expires_at));
    inner["isTombstone"] = info.is_tombstone;
    inner["url"] = info.url ? json::value(*info.url) : json::value(nullptr);
    inner["storageArc"] = nullptr;
    if (!info.storage_arc.is_empty()) {
        inner["storageArc"] = json::array({info.storage_arc.start().value, info.storage_arc.end().value});
    }
    return json::serialize(inner);
}

}  // namespace

agent_key make_agent_key(std::span<const std::byte, 32> seed) {
    start_sodium();
    agent_key key;
    std::array<unsigned char, key_bytes> agent;
    crypto_sign_seed_keypair(agent.data(), reinterpret_cast<unsigned char*>(key.data()), sodium_bytes(seed));
    return key;
}

agent_id agent_of(agent_key const& key) {
    // libsodium's secret key is the seed and, behind it, the public key.
    return {key.end() - key_bytes, key.end()};
}

std::string sign(agent_info const& info, agent_key const& key) {
    assert(info.agent == agent_of(key));
    assert(!info.space.empty() && info.space.size() <= space_bytes_max);
    assert(!info.url || is_url(*info.url));
    start_sodium();
    auto const inner = inner_text(info);
    std::array<std::byte, crypto_sign_BYTES> signature;
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, sodium_bytes(inner),
                         inner.size(), sodium_bytes(key));
    json::object outer;
    outer["agentInfo"] = inner;
    outer["signature"] = to_base64(signature, base64_form::url_unpadded);
    return json::serialize(outer);
}

protocol_result<agent_info> parse_agent_info(std::string_view signed_json) {
    auto parsed = read(signed_json);
    if (!parsed) {
        return parsed.error();
    }
    return std::move(parsed->info);
}

protocol_result<agent_info> verify_agent_info(std::string_view signed_json) {
    auto parsed = read(signed_json);
    if (!parsed) {
        return parsed.error();
    }
    if (parsed->info.agent.size() != key_bytes) {
        return bad(
            fmt::format("agent has {} bytes, an Ed25519 key has {}", parsed->info.agent.size(), key_bytes));
    }
    start_sodium();
    if (parsed->signature.size() != crypto_sign_BYTES ||
        crypto_sign_verify_detached(sodium_bytes(parsed->signature), sodium_bytes(parsed->inner),
                                    parsed->inner.size(), sodium_bytes(parsed->info.agent)) != 0) {
        return bad("InvalidSignature");
    }
    return std::move(parsed->info);
}

}  // namespace opstore::gossip
