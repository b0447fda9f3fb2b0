# Writes OUTPUT, a header with one constant for each of FILES (relative to SOURCE_DIR). Comment lines that open
# a file are for its reader and are left out of what is sent to the server.
set(statements "")
set(migrations "")
foreach(file IN LISTS FILES)
    file(READ ${SOURCE_DIR}/${file} text)
    get_filename_component(name ${file} NAME_WE)
    if(file MATCHES "^migrations/")
        string(REGEX MATCH "^[0-9]+" number ${name})
        math(EXPR number "${number}")
        string(APPEND migrations "    migration{${number}, \"${name}\", R\"sql(${text})sql\"},\n")
    else()
        string(REGEX REPLACE "^(--[^\n]*\n)+" "" text "${text}")
        string(APPEND statements
               "inline constexpr statement ${name}{\"${name}\", R\"sql(${text})sql\"};\n\n")
    endif()
endforeach()
file(WRITE ${OUTPUT}.new "#pragma once

// Generated from sql/*.sql; edit those.

namespace opstore::sql {

struct statement {
    char const* name;
    char const* text;
};

struct migration {
    int number;
    char const* name;
    char const* text;
};

${statements}/// Ascending by number.
inline constexpr migration migrations[] = {
${migrations}};

}  // namespace opstore::sql
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
file(TOUCH ${OUTPUT})
