#pragma once

#include <arc/timestamp.hpp>
#include <opstore/tool/output.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace opstore::tool {

/// Writes JSON documents, one a line, as they are made: a document of a million ids takes no memory.
class json_writer {
public:
    explicit json_writer(output& out) : out_(out) {}

    void begin_object() { open("{"); }
    void end_object() { close("}"); }
    void begin_array() { open("["); }
    void end_array() { close("]"); }
    void key(std::string_view name);

    /// UTF-8; other bytes become U+FFFD.
    void value(std::string_view text);
    void value(char const* text) { value(std::string_view(text)); }
    void value(std::string const& text) { value(std::string_view(text)); }
    void value(bool b) { literal(b ? "true" : "false"); }
    void value(std::integral auto number) { literal(std::to_string(number)); }
    /// With three decimals: seconds.
    void value(double number);
    /// Microseconds since the epoch.
    void value(arc::timestamp at) { value(arc::to_micros(at)); }
    void value(std::nullopt_t) { literal("null"); }
    template <class T>
    void value(std::optional<T> const& v) {
        if (v)
            value(*v);
        else
            value(std::nullopt);
    }

    template <class T>
    void member(std::string_view name, T const& v) {
        key(name);
        value(v);
    }

    /// Ends the document with a line break.
    void end_document();

private:
    void open(std::string_view bracket);
    void close(std::string_view bracket);
    void literal(std::string_view text);

    output& out_;
    bool comma_due_ = false;
};

}  // namespace opstore::tool
