#pragma once

#include <arc/timestamp.hpp>
#include <opstore/op_id.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace opstore::tool {

/// Prints text on standard output. Throws command_failure if it cannot be written; a closed pipe ends the
/// process quietly, as it does with other tools.
void print_text(std::string_view text);
/// The same, as a line.
void print_line(std::string_view text);
/// Prints a JSON document on a line of its own, and flushes it: whoever reads a stream waits for it.
void print_json(boost::json::value const& document);
/// To be called before success is reported: what is buffered may still fail to be written.
void finish_output();

/// Text for people on standard error. Where that cannot be written there is nobody to tell: no error.
void tell(std::string_view text);
/// A warning on standard error: a line, or several where `text` breaks. The further ones are indented, so
/// that no text from outside passes for a warning of its own.
void warn(std::string_view text);

boost::json::array to_json(std::vector<op_id> const& ids);

/// One a line.
void print_ids(std::vector<op_id> const& ids);

/// A JSON document that ends in a list of ids, part by part: a million of them as a JSON value take hundreds
/// of bytes each. Prints nothing before there is something to print: what fails at once leaves no half
/// document.
class id_list_writer {
public:
    /// `before`: the document up to the first id.
    explicit id_list_writer(std::string before) : before_(std::move(before)) {}
    void add(std::vector<op_id> const& ids);
    /// `behind`: the document from the end of the list on.
    void finish(std::string_view behind);

private:
    std::string const before_;
    bool begun_ = false;
};

/// "1.5 MiB".
std::string human_bytes(std::uint64_t bytes);
/// "1,234,567".
std::string human_count(std::uint64_t count);
/// RFC 3339, or "-" for the epoch, which stands for never.
std::string human_time(arc::timestamp time);

/// A line on standard error that shows how far long work has come; nothing unless that is a terminal.
class progress {
public:
    /// `total` 0: unknown.
    explicit progress(std::string what, std::uint64_t total = 0);
    ~progress();
    void show(std::uint64_t done);
    /// Takes the line away. To be called before anything else is printed.
    void clear();

private:
    std::string const what_;
    std::uint64_t const total_;
    bool const terminal_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point const begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_ = begin_;
};

}  // namespace opstore::tool
