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
    std::unique_lock lock(mutex_);
    token const t{at, next_++};
    actions_.emplace(t, std::move(action));
    if (at < sleeps_until_) {
        sleeps_until_ = at;
        lock.unlock();
        changed_.notify_one();
    }
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
        auto const due = actions_.empty() ? clock::time_point::max() : actions_.begin()->first.first;
        if (due > clock::now()) {
            sleep_until(due, lock);
            continue;
        }
        auto action = std::move(actions_.begin()->second);
        actions_.erase(actions_.begin());
        lock.unlock();
        action();
        // Destroyed outside of the lock: it may own whatever a caller gave it.
        action = nullptr;
        lock.lock();
    }
}

void deadline_watch::sleep_until(clock::time_point due, std::unique_lock<std::mutex>& lock) {
    sleeps_until_ = due;
    if (due == clock::time_point::max())
        changed_.wait(lock);
    else
        changed_.wait_until(lock, due);
    sleeps_until_ = clock::time_point::min();
}

}  // namespace opstore::postgres::detail
