#include <opstore/tool/command_line.hpp>

#include <gossip/tcp/tcp_address.hpp>
#include <opstore/tool/exit_code.hpp>
#include <opstore/utf8.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

namespace opstore::tool {
namespace {

constexpr char const* description =
    "The durable memory of a gossip peer, on PostgreSQL.\n"
    "With no database named it runs a private PostgreSQL of its own (see `opstore server status`).";

std::string check_space_name(std::string const& name) {
    if (name.empty() || name.size() > space_options::key_bytes_max)
        return fmt::format("a space's name has 1 to {} bytes, not {}", space_options::key_bytes_max,
                           name.size());
    return is_utf8(name) ? "" : "a space's name is UTF-8 text";
}

/// libpq would take the empty text for a database of its own choice, this program for the embedded cluster.
std::string check_database(std::string const& conninfo) {
    return conninfo.empty() ? "the connection string is empty" : "";
}

arc::timestamp read_time(std::string const& text) {
    if (text == "now")
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    if (auto const time = arc::parse_timestamp(text))
        return *time;
    throw CLI::ValidationError(fmt::format(
        "'{}' is no time: microseconds since 1970, RFC 3339 such as 2026-01-31T12:00:00Z, or now", text));
}

arc::dht_arc read_arc(std::string const& text) {
    if (auto const arc = arc::parse_arc(text))
        return *arc;
    throw CLI::ValidationError(fmt::format(
        "'{}' is no arc: full, empty, or START..END with numbers from 0 to 4294967295 (or 0x...)", text));
}

/// CLI11 reads "-1" as a large number.
std::uint64_t read_count(std::string const& text) {
    std::uint64_t count = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size())
        throw CLI::ValidationError(fmt::format("'{}' is no number from 0 to 2^64 - 1", text));
    return count;
}

std::string check_max_op_bytes(std::string const& text) {
    auto const bytes = read_count(text);
    if (bytes >= 1 && bytes <= space_options::max_op_bytes_limit)
        return "";
    return fmt::format("{} is not from 1 to {}", bytes, space_options::max_op_bytes_limit);
}

template <class Value>
CLI::Option* add_count(CLI::App& app, std::string const& name, Value& value, std::string const& help) {
    return app
        .add_option_function<std::string>(
            name, [&value](std::string const& text) { value = read_count(text); }, help)
        ->type_name("NUMBER");
}

template <class Value>
void add_time(CLI::App& app, std::string const& name, Value& value, std::string const& help,
              bool required = false) {
    app.add_option_function<std::string>(
           name, [&value](std::string const& text) { value = read_time(text); }, help)
        ->type_name("TIME")
        ->required(required);
}

void add_arc(CLI::App& app, command_line& line, bool required = false) {
    app.add_option_function<std::string>(
           "--arc", [&line](std::string const& text) { line.arc = read_arc(text); },
           "The part of the ring: full (default), empty or START..END")
        ->type_name("ARC")
        ->required(required);
}

void add_global_options(CLI::App& app, command_line& line) {
    app.add_option("--database", line.database, "libpq connection string or URI")
        ->type_name("CONNINFO")
        ->check(CLI::Validator(check_database, "", ""));
    app.add_option("--schema", line.schema, "PostgreSQL schema of the op store")->type_name("NAME");
    app.add_option("--space", line.space, "Name of the space; default: default")
        ->type_name("NAME")
        ->check(CLI::Validator(check_space_name, "", ""));
    app.add_flag("--json", line.json, "One JSON document on standard output (a line each for streams)");
    app.add_option_function<double>(
           "--timeout",
           [&line](double seconds) {
               if (!(seconds >= 0.001 && seconds <= 1e6))
                   throw CLI::ValidationError("--timeout: from 0.001 to 1000000 seconds");
               line.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
           },
           "Longest time for one call to the database; default: 30")
        ->type_name("SECONDS");
    app.set_version_flag("--version", std::string("opstore ") + OPSTORE_VERSION);
}

void add_ingest_commands(CLI::App& app, command_line& line) {
    auto* const ingest = app.add_subcommand("ingest", "Store ops from lines of JSON");
    ingest->add_option("FILE", line.file, "File of JSON lines, or - for standard input (default)");
    ingest->add_flag("--ack", line.ack, "Tell whenever the lines up to N are durable");
    ingest->add_flag("--ids", line.ids, "Print the ids of the ops held, in input order");
    ingest->add_flag("--strict", line.strict, "Exit with 1 if an op was rejected");

    auto* const import = app.add_subcommand("import-git", "Store the objects of a git repository as ops");
    import->add_option("PATH", line.repository, "The repository, bare or not")->required();
    auto const choose = [&line](std::string const& which) { line.all_objects = which == "all"; };
    import
        ->add_option_function<std::string>("--objects", choose,
                                           "commits (default), or all: trees, blobs and tags too")
        ->check(CLI::IsMember({"commits", "all"}));
    import->add_flag("--strict", line.strict, "Exit with 1 if an object was rejected");
}

void add_read_commands(CLI::App& app, command_line& line) {
    auto* const get = app.add_subcommand("get", "Print ops by id");
    get->add_option("ID", line.id_texts, "Ids (base64url or hex), or - for standard input, one a line")
        ->required();

    auto* const missing = app.add_subcommand("missing", "Which of some ids are not held");
    missing->add_option("FILE", line.file, "File of ids, one a line, or - for standard input (default)");

    auto* const page = app.add_subcommand("page", "Ids in the order in which the ops were stored");
    add_arc(*page, line);
    add_time(*page, "--since", line.since, "Where to begin: stored_at, or `next` of the page before");
    add_count(*page, "--limit-bytes", line.limit_bytes,
              "Most bytes of ops on a page; default: the largest op of the space");
    page->add_flag("--all", line.all, "Follow to the end");
    page->add_flag("--follow", line.follow, "Follow to the end and wait for more");

    auto* const slice = app.add_subcommand("slice", "Ids of the ops created in a span of time");
    add_arc(*slice, line);
    add_time(*slice, "--from", line.from, "First created_at", true);
    add_time(*slice, "--to", line.to, "End of created_at, exclusive", true);

    add_arc(*app.add_subcommand("earliest", "The earliest created_at of an arc"), line);

    auto* const summary = app.add_subcommand("summary", "Disc and rings: what peers compare first");
    add_arc(*summary, line);
    add_time(*summary, "--now", line.now, "The moment to lay them out at; default: now");
}

void add_slice_commands(CLI::App& app, command_line& line) {
    auto* const slices = app.add_subcommand("slices", "Slice hashes of an arc")->require_subcommand(1);
    auto* const list = slices->add_subcommand("list", "All, by index");
    auto* const get = slices->add_subcommand("get", "One of them");
    auto* const put = slices->add_subcommand("put", "Keep one, overwriting");
    auto* const count = slices->add_subcommand("count", "The highest index + 1");
    for (CLI::App* const command : {list, get, put, count})
        add_arc(*command, line, true);
    for (CLI::App* const command : {get, put})
        add_count(*command, "--index", line.slice_index, "Number of the slice")->required();
    put->add_option("--hash", line.hash_text, "The hash, base64url or hex")->required();
}

std::string check_address(std::string const& text) {
    return gossip::parse_tcp_address(text) ? ""
                                           : fmt::format(
                                                 "'{}' is no address: ADDRESS:PORT with a number or "
                                                 "localhost as address, such as 127.0.0.1:4000",
                                                 text);
}

template <class Value>
void add_seconds(CLI::App& app, std::string const& name, Value& value, double least,
                 std::string const& help) {
    app.add_option_function<double>(
           name,
           [&value, least](double seconds) {
               if (!(seconds >= least && seconds <= 1e6))
                   throw CLI::ValidationError(fmt::format("from {} to 1000000 seconds", least));
               value = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
           },
           help)
        ->type_name("SECONDS");
}

void add_peer_command(CLI::App& app, command_line& line) {
    auto* const peer = app.add_subcommand("peer", "Reconcile the space with other peers, over TCP");
    CLI::Validator const address(check_address, "", "");
    peer->add_option("--listen", line.listen, "Where to listen; default: 127.0.0.1:0, any free port")
        ->type_name("ADDRESS:PORT")
        ->check(address);
    peer->add_option("--announce", line.announce, "How others reach it; default: where it listens")
        ->type_name("ADDRESS:PORT")
        ->check(address);
    peer->add_option("--connect", line.connect, "Peers to begin with; of the others it hears")
        ->type_name("ADDRESS:PORT")
        ->check(address);
    peer->add_option("--network", line.network, "Name of the network; default: the name of the space")
        ->type_name("NAME")
        ->check(CLI::Validator(check_space_name, "", ""));
    peer->add_option("--secret-file", line.secret_file, "What all its peers share; needed beyond loopback")
        ->type_name("FILE");
    peer->add_option("--identity", line.identity_file, "Seed of its key, made if absent; default: a new one")
        ->type_name("FILE");
    add_arc(*peer, line);
    add_seconds(*peer, "--interval", line.interval, 0.01, "Pause between its rounds; default: 120");
    add_seconds(*peer, "--jitter", line.jitter, 0, "At most so much more, at random; default: 10");
    add_seconds(*peer, "--until-idle", line.until_idle, 0.1, "End when no op came for so long");
    add_seconds(*peer, "--report", line.report, 0.05, "Tell how it stands, this often");
}

void add_maintenance_commands(CLI::App& app, command_line& line) {
    auto* const init = app.add_subcommand("init", "Make or migrate the schema, and make the space");
    init->add_option("--format", line.format, "Op format of the space; default: plain")
        ->check(CLI::IsMember({"plain", "signed", "located"}));
    add_count(*init, "--max-op-bytes", line.max_op_bytes, "Largest op; default: 16777216")
        ->check(CLI::Validator(check_max_op_bytes, "", ""));
    init->add_option_function<std::string>(
            "--slices", [&line](std::string const& mode) { line.slices = parse_slice_mode(mode).value(); },
            "Who keeps slice hashes: store (default) or host")
        ->check(CLI::IsMember({"host", "store"}));
    init->add_flag("--roles", line.roles, "Make the roles opstore_owner, opstore_writer, opstore_reader");

    auto* const seal = app.add_subcommand("seal", "Fold the slices that time has completed into kept hashes");
    add_time(*seal, "--now", line.now, "Seal as of this moment; default: now, and never beyond it");
    app.add_subcommand("verify", "Recompute every hash and counter from the ops, and compare")
        ->add_flag("--repair", line.repair, "Replace what is wrong by what the ops say");
    app.add_subcommand("stat", "Counters of the space and state of the database");

    auto* const spaces = app.add_subcommand("spaces", "List the spaces")->require_subcommand(0, 1);
    auto* const drop = spaces->add_subcommand("drop", "Delete a space with all its ops");
    drop->add_option("NAME", line.dropped_space, "The space")
        ->required()
        ->check(CLI::Validator(check_space_name, "", ""));
    drop->add_flag("--yes", line.yes, "Really");

    auto* const server =
        app.add_subcommand("server", "The embedded PostgreSQL server")->require_subcommand(1);
    server->add_subcommand("start", "Start it if it does not run");
    server->add_subcommand("stop", "Stop it");
    server->add_subcommand("status", "Whether it runs, and where its files are");

    app.add_subcommand("completion", "Print a completion script for a shell")
        ->add_option("SHELL", line.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

/// CLI11 calls back into `line` while parsing; both live together.
struct parser {
    command_line line;
    CLI::App app{description, "opstore"};

    parser() {
        app.require_subcommand(0, 1);
        app.fallthrough(false);
        add_global_options(app, line);
        add_ingest_commands(app, line);
        add_read_commands(app, line);
        add_slice_commands(app, line);
        add_peer_command(app, line);
        add_maintenance_commands(app, line);
    }
};

std::string command_words(CLI::App const& app) {
    std::string words;
    for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = chosen.front()->get_subcommands())
        words += (words.empty() ? "" : " ") + chosen.front()->get_name();
    return words;
}

std::string option_words(CLI::App const& app) {
    std::string words;
    for (CLI::Option const* option : app.get_options()) {
        for (std::string const& name : option->get_lnames())
            words += " --" + name;
    }
    return words;
}

std::string subcommand_words(CLI::App& app) {
    std::string words;
    for (CLI::App const* command : app.get_subcommands({}))
        words += " " + command->get_name();
    return words;
}

/// The global options that take a value, as a pattern of the shell.
std::string value_option_pattern(CLI::App const& app) {
    std::string pattern;
    for (CLI::Option const* option : app.get_options()) {
        for (std::string const& name : option->get_lnames()) {
            if (option->get_items_expected_max() > 0)
                pattern += (pattern.empty() ? "--" : "|--") + name;
        }
    }
    return pattern;
}

/// What the value of an option may be, if that is a choice of words: CLI11 writes it {a,b}.
std::string choice_words(CLI::Option const& option) {
    auto const type = option.get_type_name();
    auto const from = type.find('{');
    auto const to = type.find('}', from);
    if (from == std::string::npos || to == std::string::npos)
        return {};
    std::string words = type.substr(from + 1, to - from - 1);
    std::ranges::replace(words, ',', ' ');
    return words;
}

std::string argument_words(CLI::App const& app) {
    std::string words;
    for (CLI::Option const* option : app.get_options()) {
        if (auto const choices = choice_words(*option); option->get_positional() && !choices.empty())
            words += " " + choices;
    }
    return words;
}

/// What to offer behind each command below `app`, to which the words `path` lead.
std::string completion_cases(CLI::App& app, std::string const& path) {
    std::string cases;
    for (CLI::App* const command : app.get_subcommands({})) {
        auto const words = path + " " + command->get_name();
        cases += fmt::format("            \"{}\") command=\"{}\" offer=\"{}{}{}\" ;;\n", words, words,
                             subcommand_words(*command), option_words(*command), argument_words(*command));
        cases += completion_cases(*command, words);
    }
    return cases;
}

/// What to offer behind the options of `app` and below that take a value: its choices, or files.
std::string value_cases(CLI::App& app, std::string const& path) {
    std::string cases;
    for (CLI::Option const* option : app.get_options()) {
        if (option->get_items_expected_max() == 0)
            continue;
        for (std::string const& name : option->get_lnames())
            cases += fmt::format("        \"{} --{}\") offer=\"{}\" ;;\n", path, name, choice_words(*option));
    }
    for (CLI::App* const command : app.get_subcommands({}))
        cases += value_cases(*command, path + " " + command->get_name());
    return cases;
}

/// For bash, and for zsh's bashcompinit: it takes an expression in a subscript only if $((...)) says so, and
/// `path` and `words` are variables of its own. Where nothing is offered the shell completes files.
std::string bash_completion(CLI::App& app) {
    return fmt::format(R"(_opstore() {{
    local offer="{}{}" command="" value="" word
    for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD-1))}}"; do
        if [ -n "$value" ]; then value=""; continue; fi
        case "$word" in {}) value=yes ;; esac
        case "$command $word" in
{}        esac
    done
    case "$command ${{COMP_WORDS[$((COMP_CWORD-1))]}}" in
{}    esac
    COMPREPLY=($(compgen -W "$offer" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _opstore opstore
)",
                       subcommand_words(app), option_words(app), value_option_pattern(app),
                       completion_cases(app, ""), value_cases(app, ""));
}

/// What fish offers where `condition` holds, the words so far, and below.
std::string fish_completions(CLI::App& app, std::string const& condition, std::string const& below) {
    std::string script;
    for (CLI::Option const* option : app.get_options()) {
        // -r: a value has to follow; -x: and it is no file.
        auto const choices = choice_words(*option);
        auto const takes_value = option->get_items_expected_max() > 0;
        auto const value = !choices.empty() ? fmt::format(" -x -a '{}'", choices) : takes_value ? " -r" : "";
        for (std::string const& name : option->get_lnames())
            script += fmt::format("complete -c opstore -n '{}' -l {} -d '{}'{}\n", condition, name,
                                  option->get_description(), value);
    }
    for (CLI::App* const command : app.get_subcommands({})) {
        script += fmt::format("complete -c opstore -n '{}' -a {} -d '{}'\n", condition, command->get_name(),
                              command->get_description());
        auto const seen = below + "__fish_seen_subcommand_from " + command->get_name();
        script += fish_completions(*command, seen, seen + "; and ");
    }
    return script;
}

std::string fish_completion(CLI::App& app) {
    return fish_completions(app, "__fish_use_subcommand", "");
}

/// Where the command stands: behind the options that come before it, most of which have a value.
int find_command(int argc, char const* const* argv) {
    int at = 1;
    while (at < argc && argv[at][0] == '-') {
        std::string_view const option = argv[at];
        at += option == "--json" || option.find('=') != std::string_view::npos ? 1 : 2;
    }
    return at;
}

/// One id in 64 begins with a dash. A "--" right behind `get` says that these are no options; further on
/// CLI11 would not apply it to all of them.
std::vector<char const*> mark_ids(int argc, char const* const* argv) {
    constexpr std::size_t id_text_length_min = 43;
    std::vector<char const*> words(argv, argv + argc);
    int const command = find_command(argc, argv);
    if (command >= argc || std::string_view(argv[command]) != "get")
        return words;
    auto const first = words.begin() + command + 1;
    auto const is_mark = [](std::string_view word) { return word == "--"; };
    auto const needs_mark = [&](std::string_view word) {
        return is_mark(word) || (word.starts_with('-') && word.size() >= id_text_length_min);
    };
    if (std::any_of(first, words.end(), needs_mark)) {
        words.erase(std::remove_if(first, words.end(), is_mark), words.end());
        words.insert(words.begin() + command + 1, "--");
    }
    return words;
}

}  // namespace

std::optional<command_line> parse_command_line(int argc, char const* const* argv) {
    parser p;
    try {
        auto const words = mark_ids(argc, argv);
        p.app.parse(static_cast<int>(words.size()), words.data());
    } catch (CLI::Success const& asked_for_text) {
        p.app.exit(asked_for_text);
        return std::nullopt;
    } catch (CLI::ParseError const& e) {
        throw usage_error(fmt::format("{} (opstore --help lists what there is)", e.what()));
    }
    p.line.command = command_words(p.app);
    if (p.line.command.empty()) {
        fmt::print("{}", p.app.help());
        return std::nullopt;
    }
    return p.line;
}

std::string completion_script(std::string const& shell) {
    parser p;
    if (shell == "fish")
        return fish_completion(p.app);
    auto const script = bash_completion(p.app);
    return shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" + script : script;
}

}  // namespace opstore::tool
