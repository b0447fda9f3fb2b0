#include <arc/timestamp.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace opstore::arc {
namespace {

namespace chrono = std::chrono;

constexpr std::size_t fraction_digits = 6;
constexpr timestamp rfc3339_first = chrono::sys_days{chrono::January / 1 / 0};
constexpr timestamp rfc3339_end = chrono::sys_days{chrono::January / 1 / 10'000};

/// Takes a text apart from the left. After the first thing that is not there, ok() stays false.
class text_reader {
public:
    explicit text_reader(std::string_view text) : rest_(text) {}

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }
    bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

    bool take(char expected) {
        if (!ok_ || !rest_.starts_with(expected)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char expected) { ok_ = take(expected); }

    int digits(std::size_t count) {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            ok_ = ok_ && at_digit();
            if (!ok_) {
                return 0;
            }
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }

    /// Below `bound`, which is at most 100.
    int two_digits_below(int bound) {
        int const value = digits(2);
        ok_ = ok_ && value < bound;
        return value;
    }

private:
    std::string_view rest_;
    bool ok_ = true;
};

chrono::microseconds read_fraction(text_reader& in) {
    int value = in.digits(1);
    for (std::size_t i = 1; i < fraction_digits; ++i) {
        value = value * 10 + (in.at_digit() ? in.digits(1) : 0);
    }
    return chrono::microseconds{value};
}

/// East of UTC is positive.
chrono::minutes read_offset(text_reader& in) {
    if (in.take('Z')) {
        return chrono::minutes{0};
    }
    bool const west = in.take('-');
    if (!west) {
        in.expect('+');
    }
    chrono::minutes offset = chrono::hours{in.two_digits_below(24)};
    in.expect(':');
    offset += chrono::minutes{in.two_digits_below(60)};
    return west ? -offset : offset;
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
    text_reader in(text);
    chrono::year const year{in.digits(4)};
    in.expect('-');
    chrono::month const month{static_cast<unsigned>(in.digits(2))};
    in.expect('-');
    chrono::day const day{static_cast<unsigned>(in.digits(2))};
    in.expect('T');
    chrono::hours const hour{in.two_digits_below(24)};
    in.expect(':');
    chrono::minutes const minute{in.two_digits_below(60)};
    in.expect(':');
    chrono::seconds const second{in.two_digits_below(60)};
    chrono::microseconds const fraction = in.take('.') ? read_fraction(in) : chrono::microseconds{0};
    chrono::minutes const offset = read_offset(in);

    chrono::year_month_day const date = year / month / day;
    if (!in.ok() || !in.at_end() || !date.ok()) {
        return std::nullopt;
    }
    return chrono::sys_days{date} + hour + minute + second + fraction - offset;
}

void append_padded(std::string& text, std::int64_t value, std::size_t width) {
    std::string const digits = std::to_string(value);
    text.append(width - std::min(width, digits.size()), '0');
    text += digits;
}

}  // namespace

std::optional<timestamp> parse_timestamp(std::string_view text) {
    std::int64_t micros = 0;
    char const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, micros);
    if (error == std::errc{} && stop == end) {
        return from_micros(micros);
    }
    return parse_rfc3339(text);
}

std::string to_rfc3339(timestamp at) {
    // The bounds also keep the calendar arithmetic below from overflowing.
    if (at < rfc3339_first || at >= rfc3339_end) {
        return std::to_string(to_micros(at));
    }
    auto const midnight = chrono::floor<chrono::days>(at);
    chrono::year_month_day const date{midnight};
    chrono::hh_mm_ss const time{at - midnight};
    std::string text;
    append_padded(text, static_cast<int>(date.year()), 4);
    text += '-';
    append_padded(text, static_cast<unsigned>(date.month()), 2);
    text += '-';
    append_padded(text, static_cast<unsigned>(date.day()), 2);
    text += 'T';
    append_padded(text, time.hours().count(), 2);
    text += ':';
    append_padded(text, time.minutes().count(), 2);
    text += ':';
    append_padded(text, time.seconds().count(), 2);
    text += '.';
    append_padded(text, time.subseconds().count(), fraction_digits);
    text += 'Z';
    return text;
}

}  // namespace opstore::arc
