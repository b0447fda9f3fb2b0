#include <opstore/tool/json_writer.hpp>

#include <opstore/tool/printable.hpp>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

namespace opstore::tool {

void json_writer::key(std::string_view name) {
    value(name);
    out_.write(":");
    comma_due_ = false;
}

void json_writer::value(std::string_view text) {
    literal(boost::json::serialize(boost::json::string_view(as_utf8(text))));
}

void json_writer::value(double number) {
    literal(fmt::format("{:.3f}", number));
}

void json_writer::end_document() {
    out_.write("\n");
    comma_due_ = false;
}

void json_writer::open(std::string_view bracket) {
    literal(bracket);
    comma_due_ = false;
}

void json_writer::close(std::string_view bracket) {
    out_.write(bracket);
    comma_due_ = true;
}

void json_writer::literal(std::string_view text) {
    if (comma_due_)
        out_.write(",");
    out_.write(text);
    comma_due_ = true;
}

}  // namespace opstore::tool
