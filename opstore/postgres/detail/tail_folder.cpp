#include <opstore/postgres/detail/tail_folder.hpp>

#include <algorithm>
#include <utility>

namespace opstore::postgres::detail {

/// May be repeated: a fold that was committed leaves nothing to the next.
class tail_folder::fold_job final : public job {
public:
    fold_job(std::shared_ptr<tail_folder> folder, clock::time_point until)
        : job(lane::write, persistence::retry, until, true), folder_(std::move(folder)) {}

    void run(connection& c) override { more_ = fold_some(c, folder_->space_); }
    void succeed() override { folder_->end_fold(true, more_); }
    void fail(std::exception_ptr) override { folder_->end_fold(false, false); }

private:
    std::shared_ptr<tail_folder> const folder_;
    bool more_ = false;
};

tail_folder::tail_folder(connection_pool& pool, space_identity space, std::function<void()> caught_up)
    : pool_(pool), space_(space), caught_up_(std::move(caught_up)) {}

void tail_folder::note_stored(std::size_t ops) {
    bool first = false;
    {
        std::lock_guard const lock(mutex_);
        tail_ += std::max<std::size_t>(ops, 1);
        first = std::exchange(first_, false);
    }
    fold(first ? 1 : fold_at);
    fold_soon();
}

bool tail_folder::is_behind() const {
    std::lock_guard const lock(mutex_);
    return folding_ && tail_ >= behind_at;
}

void tail_folder::fold(std::size_t ops_min) {
    {
        std::lock_guard const lock(mutex_);
        if (folding_ || tail_ < ops_min)
            return;
        folding_ = true;
        being_folded_ = tail_;
    }
    pool_.submit(std::make_shared<fold_job>(shared_from_this(), pool_.resolve(deadline())));
}

void tail_folder::fold_soon() {
    auto pause = fold_after;
    {
        std::lock_guard const lock(mutex_);
        if (folding_ || due_soon_ || tail_ == 0)
            return;
        due_soon_ = true;
        pause *= 1 << failures_;
    }
    pool_.watch().add(job::clock::now() + pause, [weak = weak_from_this()] {
        auto const folder = weak.lock();
        if (!folder)
            return;
        {
            std::lock_guard const lock(folder->mutex_);
            folder->due_soon_ = false;
        }
        folder->fold(1);
    });
}

void tail_folder::end_fold(bool succeeded, bool more) {
    {
        std::lock_guard const lock(mutex_);
        folding_ = false;
        if (succeeded)
            tail_ = more ? std::max(tail_ - std::min<std::size_t>(being_folded_, fold_ops_max), fold_at)
                         : tail_ - being_folded_;
        failures_ = succeeded ? 0 : std::min(failures_ + 1, failures_counted_max);
    }
    if (succeeded)
        fold(fold_at);
    fold_soon();
    caught_up_();
}

}  // namespace opstore::postgres::detail
