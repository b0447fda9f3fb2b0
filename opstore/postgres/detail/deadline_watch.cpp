#include <opstore/postgres/detail/deadline_watch.hpp>

namespace opstore::postgres::detail {

deadline_watch::deadline_watch() : thread_([this] { run(); }) {}

deadline_watch::~deadline_watch() {
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

deadline_watch::token deadline_watch::add(clock::time_point at, std::function<void()> action) {
    std::lock_guard const lock(mutex_);
    token const t{at, next_++};
    auto const place = actions_.emplace(t, std::move(action)).first;
    if (place == actions_.begin())
        changed_.notify_one();
    return t;
}

void deadline_watch::remove(token const& t) {
    std::function<void()> dropped;  // Destroyed behind the lock: it may own whatever a caller gave it.
    std::lock_guard const lock(mutex_);
    if (auto const place = actions_.find(t); place != actions_.end()) {
        dropped = std::move(place->second);
        actions_.erase(place);
    }
}

void deadline_watch::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (actions_.empty()) {
            changed_.wait(lock);
        } else if (auto const at = actions_.begin()->first.first; at > clock::now()) {
            changed_.wait_until(lock, at);
        } else {
            auto const action = std::move(actions_.begin()->second);
            actions_.erase(actions_.begin());
            lock.unlock();
            action();
            lock.lock();
        }
    }
}

}  // namespace opstore::postgres::detail
