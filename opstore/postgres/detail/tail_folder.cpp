#include <opstore/postgres/detail/tail_folder.hpp>

#include <algorithm>

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
    {
        std::lock_guard const lock(mutex_);
        tail_ += ops;
    }
    fold_if_due();
}

bool tail_folder::is_behind() const {
    std::lock_guard const lock(mutex_);
    return folding_ && tail_ >= behind_at;
}

void tail_folder::fold_if_due() {
    {
        std::lock_guard const lock(mutex_);
        if (folding_ || tail_ < fold_at)
            return;
        folding_ = true;
        being_folded_ = tail_;
    }
    pool_.submit(std::make_shared<fold_job>(shared_from_this(), pool_.resolve(deadline())));
}

void tail_folder::end_fold(bool succeeded, bool more) {
    {
        std::lock_guard const lock(mutex_);
        folding_ = false;
        if (succeeded)
            tail_ = more ? std::max(tail_ - being_folded_, fold_at) : tail_ - being_folded_;
    }
    if (succeeded)
        fold_if_due();
    caught_up_();
}

}  // namespace opstore::postgres::detail
