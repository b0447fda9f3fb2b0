#pragma once

#include <tests/bench/raw_connection.hpp>

#include <opstore/embedded/embedded_cluster.hpp>
#include <opstore/op_store.hpp>
#include <opstore/space.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace opstore::bench {

/// What may differ between the spaces of a run.
struct space_set_up {
    /// The PostgreSQL schema: a space in a schema of its own shares no table with the others.
    std::string schema = "opstore";
    slice_mode slices = slice_mode::store;
    bool group_commit = true;
    bool remembers_ids = true;

    space_set_up() = default;
};

/// Opens the space "bench" of a database, making what is absent; its clock stands at `now`.
std::unique_ptr<op_store> open_space(std::string const& conninfo, space_set_up const& how);

/// A private server with the settings that the embedded cluster makes, its home deleted and made anew;
/// stopped at the end. The home stays, for who wants to look into it.
class bench_server {
public:
    explicit bench_server(std::filesystem::path home);
    ~bench_server();

    std::string conninfo() const { return cluster_.conninfo(); }
    raw_connection& raw() { return *raw_; }
    /// On the disk that the server writes to: for the rivals' files.
    std::filesystem::path file(std::string const& name) const { return home_ / name; }

    std::uint64_t shared_buffers_bytes();
    /// The machine, the server and its settings, in one line.
    std::string description();

    /// Where the server stands between two checkpoints.
    struct checkpoint_phase {
        std::uint64_t checkpoints = 0;  ///< Since the server started.
        std::uint64_t wal_bytes = 0;    ///< Written since the last one began.
    };
    checkpoint_phase query_phase();

private:
    std::filesystem::path home_;
    embedded_cluster cluster_;
    std::unique_ptr<raw_connection> raw_;
};

}  // namespace opstore::bench
