#pragma once

#include <opstore/tool/output.hpp>

#include <initializer_list>
#include <string>
#include <vector>

namespace opstore::tool {

/// Rows of text in aligned columns, for people. Keeps all rows until it is printed.
class text_table {
public:
    enum class align { left, right };

    explicit text_table(std::initializer_list<align> columns) : columns_(columns) {}

    /// One cell for each column; UTF-8, one line each.
    void add(std::initializer_list<std::string> cells) { rows_.emplace_back(cells); }
    void print(output& out, std::string_view indent = "") const;

private:
    std::vector<align> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace opstore::tool
