#include <opstore/postgres/detail/earliest_delegate.hpp>

#include <opstore/postgres/detail/delegates.hpp>
#include <opstore/postgres/detail/queries.hpp>
#include <opstore/postgres/detail/random_number.hpp>
#include <sql/statements.hpp>

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

namespace opstore::postgres::detail {
namespace {

/// Each delegate listens to a channel of its own: this and its number.
constexpr char const* channel = "opstore_delegate_";
/// For idle_session_timeout.
constexpr int server_version_min = 140000;
/// Often enough that a busy machine does not look like a stopped process.
constexpr std::chrono::milliseconds heartbeat = earliest_delegate::silence_max / 5;
/// After a failure that passes, and after one that will not pass by itself, such as a missing privilege.
constexpr std::chrono::seconds short_pause{1};
constexpr std::chrono::seconds long_pause{600};
/// For a row that writers hold nearly all the time. Recalls of other spaces wait meanwhile, so it is not
/// long.
constexpr int lock_tries_max = 5;
constexpr std::chrono::milliseconds lock_pause{2};
/// Spaces that were asked for and are not remembered.
constexpr std::size_t demands_max = 1024;

bool is_readable(int socket) {
    pollfd seen{socket, POLLIN | POLLRDHUP, 0};
    return ::poll(&seen, 1, 0) != 0;
}

/// Sectors that follow each other on the ring.
struct sector_run {
    std::uint32_t first = 0, count = 0;
};

/// The sectors of an arc that is made of whole ones. Nothing if it is not.
std::optional<sector_run> whole_sectors(arc::dht_arc const& of) {
    if (of.is_empty())
        return sector_run{};
    if (of.is_full())
        return sector_run{0, arc::sector_count};
    std::uint32_t const first = of.start().value, behind = of.end().value + 1;
    if (first % arc::sector_size != 0 || behind % arc::sector_size != 0)
        return std::nullopt;
    return sector_run{first / arc::sector_size, (behind - first) / arc::sector_size};
}

std::vector<arc::dht_arc> all_sectors() {
    std::vector<arc::dht_arc> arcs;
    for (std::uint32_t sector = 0; sector < arc::sector_count; ++sector)
        arcs.push_back(arc::sector_arc(static_cast<arc::sector_index>(sector)));
    return arcs;
}

}  // namespace

earliest_delegate::earliest_delegate(connect_function connect) : connect_(std::move(connect)) {}

earliest_delegate::~earliest_delegate() {
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
        // A server that hangs must not keep us waiting.
        if (socket_)
            ::shutdown(socket_->native_handle(), SHUT_RDWR);
    }
    io_.stop();
    if (thread_.joinable())
        thread_.join();
    end_session();
}

std::optional<std::vector<std::optional<arc::timestamp>>> earliest_delegate::earliest(
    space_identity space, std::span<arc::dht_arc const> arcs) {
    if (!std::all_of(arcs.begin(), arcs.end(), whole_sectors))
        return std::nullopt;
    std::lock_guard const lock(mutex_);
    auto const found = remembered_.find(key_of(space));
    if (found == remembered_.end()) {
        note_question(space);
        return std::nullopt;
    }
    // The order matters: as long as the thread waits, what the server has sent is still in the socket.
    if (!waits_ || is_readable(socket_->native_handle()))
        return std::nullopt;
    found->second.last_used = clock::now();
    times const& of_sector = *found->second.earliest;
    std::vector<std::optional<arc::timestamp>> answer(arcs.size());
    for (std::size_t i = 0; i < arcs.size(); ++i) {
        auto const [first, count] = *whole_sectors(arcs[i]);
        for (std::uint32_t n = 0; n < count; ++n) {
            if (auto const t = of_sector[(first + n) % arc::sector_count])
                answer[i] = std::min(answer[i].value_or(*t), *t);
        }
    }
    return answer;
}

earliest_delegate::comparison earliest_delegate::compare(space_identity space,
                                                         std::span<admitted_op const* const> ops) const {
    std::lock_guard const lock(mutex_);
    auto const found = remembered_.find(key_of(space));
    if (found == remembered_.end())
        return {};
    times const& of_sector = *found->second.earliest;
    bool const earlier = std::any_of(ops.begin(), ops.end(), [&](admitted_op const* op) {
        auto const t = of_sector[arc::sector_of(op->location)];
        return !t || op->created_at < *t;
    });
    return {earlier ? 0 : found->second.number, earlier};
}

void earliest_delegate::join(space_identity space) {
    std::lock_guard const lock(mutex_);
    if (!remembered_.contains(key_of(space)))
        want(space);
}

earliest_delegate::demand& earliest_delegate::demand_of(key space) {
    if (demands_.size() >= demands_max && !demands_.contains(space))
        demands_.clear();
    return demands_[space];
}

void earliest_delegate::note_question(space_identity space) {
    demand& d = demand_of(key_of(space));
    auto const now = clock::now();
    if (now - d.since > questions_within) {
        d.since = now;
        d.questions = 0;
    }
    if (++d.questions >= questions_min)
        want(space);
}

void earliest_delegate::want(space_identity space) {
    demand& d = demand_of(key_of(space));
    auto const now = clock::now();
    if (stopping_ || now < not_before_ || now < d.not_before || remembered_.size() >= spaces_max)
        return;
    try {
        wanted_.push_back(space);
        boost::asio::post(io_, [this] { attend(); });
        if (!thread_.joinable())
            thread_ = std::thread([this] { io_.run(); });
    } catch (std::exception const&) {
        // Without memory or a thread it is the server that answers.
        not_before_ = now + long_pause;
        return;
    }
    // Until the thread has tried.
    d.not_before = clock::time_point::max();
}

void earliest_delegate::attend() {
    std::vector<space_identity> wanted;
    {
        std::lock_guard const lock(mutex_);
        waits_ = false;
        if (stopping_)
            return;
        wanted = std::exchange(wanted_, {});
    }
    try {
        serve(wanted);
        if (session_)
            wait_for_more();
        std::lock_guard const lock(mutex_);
        waits_ = session_ != nullptr;
    } catch (store_error const& e) {
        bool const passes = e.retryable() || e.code() == errc::timed_out;
        give_up(passes ? short_pause : long_pause);
    } catch (std::exception const&) {
        give_up(short_pause);
    }
}

void earliest_delegate::wait_for_more() {
    auto const go_on = [this](boost::system::error_code const& error) {
        if (!error)
            attend();
    };
    heartbeat_.expires_after(heartbeat);
    heartbeat_.async_wait(go_on);
    socket_->cancel();
    socket_->async_wait(boost::asio::posix::stream_descriptor::wait_read, go_on);
}

void earliest_delegate::serve(std::vector<space_identity> const& wanted) {
    if (!session_ && (wanted.empty() || !open_session()))
        return;
    stop_where_recalled();
    for (space_identity const& space : wanted) {
        remember(space);
        stop_where_recalled();
    }
    forget_unused();
    if (clock::now() - last_heard_ >= heartbeat)
        keep_alive();
    // A statement may have brought more along, which the socket does not show any more.
    while (stop_where_recalled()) {
    }
    if (remembered_.empty() && clock::now() - last_remembered_ > unused_max)
        end_session();
}

/// False: not with this server, or not by this user.
bool earliest_delegate::open_session() {
    auto made = connect_();
    if (!made->shows_its_end_at_once() || made->server_version() < server_version_min) {
        give_up(long_pause);
        return false;
    }
    keep_socket(::fcntl(made->socket(), F_DUPFD_CLOEXEC, 0));
    {
        std::lock_guard const lock(mutex_);
        session_ = std::move(made);
        // The destructor may have looked before.
        if (stopping_)
            ::shutdown(socket_->native_handle(), SHUT_RDWR);
    }
    session_->set_statement_timeout(silence_max);
    // What is lost in a crash of the server is over with it: no commit of this session has to be durable.
    session_->execute_text("set_delegate", fmt::format("SET idle_session_timeout = '{0}s';"
                                                       "SET idle_in_transaction_session_timeout = '{0}s';"
                                                       "SET synchronous_commit = off",
                                                       silence_max.count()));
    if (!session_->execute(sql::may_delegate).boolean(0, 0)) {
        give_up(long_pause);
        return false;
    }
    last_heard_ = last_remembered_ = clock::now();
    return true;
}

void earliest_delegate::keep_socket(int copy) {
    if (copy < 0)
        throw std::system_error(errno, std::generic_category(), "cannot copy the socket of a session");
    std::optional<boost::asio::posix::stream_descriptor> kept;
    try {
        kept.emplace(io_, copy);
    } catch (...) {
        ::close(copy);
        throw;
    }
    std::lock_guard const lock(mutex_);
    socket_ = std::move(kept);
}

void earliest_delegate::remember(space_identity space) {
    if (remembered_.contains(key_of(space)))
        return;
    auto const number = random_number();
    auto all = become_delegate(space, number);
    if (!all)
        stop_being_delegate(number);
    last_heard_ = last_remembered_ = clock::now();
    std::lock_guard const lock(mutex_);
    demands_.erase(key_of(space));
    if (all)
        remembered_.emplace(key_of(space), delegation{number, std::move(all), last_heard_});
    else
        demand_of(key_of(space)).not_before = last_heard_ + recall_pause;
}

/// Nothing: the space is gone, or somebody holds its row, for which recalls of other spaces must not wait.
std::unique_ptr<earliest_delegate::times const> earliest_delegate::become_delegate(space_identity space,
                                                                                   std::int64_t number) {
    session_->listen(fmt::format("{}{}", channel, number));
    session_->execute(sql::lock_delegate, parameters().bigint(number));
    // Here too the dead are sorted out: there may be nobody who stores ops.
    auto const try_lock = [&] {
        return lock_against_delegates(*session_, sql::try_lock_space, space, 0, [] { return false; });
    };
    bool locked = try_lock().has_value();
    for (int i = 1; i < lock_tries_max && !locked; ++i) {
        std::this_thread::sleep_for(lock_pause);
        locked = try_lock().has_value();
    }
    if (!locked)
        return nullptr;
    session_->execute(sql::add_delegate, parameters().bigint(space.space_id).bigint(number));
    session_->commit();
    auto const found = fetch_earliest(*session_, space, all_sectors());
    if (!found)
        return nullptr;
    auto all = std::make_unique<times>();
    std::copy(found->begin(), found->end(), all->begin());
    return all;
}

bool earliest_delegate::stop_where_recalled() {
    auto const recalled = session_->notifications();
    for (std::string const& text : recalled) {
        auto const found = std::find_if(remembered_.begin(), remembered_.end(), [&](auto const& entry) {
            return text == fmt::format("{}{}", channel, entry.second.number);
        });
        if (found != remembered_.end())
            forget(found->first, recall_pause);
    }
    return !recalled.empty();
}

void earliest_delegate::forget_unused() {
    auto const now = clock::now();
    std::vector<key> unused;
    {
        std::lock_guard const lock(mutex_);
        for (auto const& [space, d] : remembered_) {
            if (now - d.last_used > unused_max)
                unused.push_back(space);
        }
    }
    for (key const& space : unused)
        forget(space, {});
}

void earliest_delegate::forget(key space, std::chrono::milliseconds pause) {
    std::int64_t number = 0;
    {
        std::lock_guard const lock(mutex_);
        auto const found = remembered_.find(space);
        number = found->second.number;
        remembered_.erase(found);
        demand_of(space).not_before = clock::now() + pause;
    }
    stop_being_delegate(number);
    last_remembered_ = clock::now();
}

/// The number stays in the space's row: whoever looks next finds that nobody holds its lock.
void earliest_delegate::stop_being_delegate(std::int64_t number) {
    session_->execute(sql::unlock_delegate, parameters().bigint(number));
    session_->execute_text("unlisten", fmt::format("UNLISTEN {}{}", channel, number));
}

void earliest_delegate::keep_alive() {
    session_->execute_text("keep_alive", "SELECT");
    last_heard_ = clock::now();
}

void earliest_delegate::end_session() {
    std::unique_ptr<connection> ended;
    std::lock_guard const lock(mutex_);
    remembered_.clear();
    socket_.reset();
    ended = std::move(session_);
}

/// Whatever it was, the server answers until it is tried again.
void earliest_delegate::give_up(std::chrono::seconds pause) {
    end_session();
    std::lock_guard const lock(mutex_);
    not_before_ = clock::now() + pause;
    demands_.clear();
}

}  // namespace opstore::postgres::detail
