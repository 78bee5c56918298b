// Loads a page's comments again and again, as a reader's browser does: the widget's script, and once that is there, all
// at once, its style, its font and the list of comments.
//
//     pages cold|warm URL ADDRESS CA-FILE SECONDS READERS SCRIPT STYLE FONT LIST-BODY
//
// cold: each load with connections of its own, nothing cached, and no session to resume. warm: after a first load, on
// the same connections, and with the ETag and Last-Modified that came then. HTTP/2 where the server offers it, else up
// to six connections. READERS load at the same time, each one page after another. One line comes out:
//
//     loads failed seconds median-microseconds p99-microseconds bytes-out bytes-in connections not-modified
//     http-version
//
// Bytes are those of TCP's payload, both they and connections and not-modified are of the last load.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <curl/curl.h>
#include <linux/tcp.h>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

double now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Settings {
    bool is_warm;
    std::string url, address, ca_file;
    double seconds;
    int readers;
    std::array<std::string, 4> paths;
    std::string list_body;
};

struct Bytes {
    unsigned long long out = 0, in = 0;
};

Bytes bytes_of(curl_socket_t socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size);
    return {info.tcpi_bytes_sent, info.tcpi_bytes_received};
}

struct Load {
    double seconds;
    Bytes bytes;
    long connections = 0, not_modified = 0;
    bool has_failed = false;
};

// One browser: its connections, its TLS sessions, and what it knows of the files that it got.
class Browser {
  public:
    explicit Browser(const Settings& settings) : settings_(settings) { open(); }
    ~Browser() { quit(); }
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;

    Load load() {
        Load made{};
        if (!settings_.is_warm) {
            quit();
            open();
        }
        const Bytes before = bytes();
        const double begin = now();
        fetch({0}, made);
        fetch({1, 2, 3}, made);
        made.seconds = now() - begin;
        if (!settings_.is_warm)
            quit(); // the end of the connections belongs to the load's bytes, but no reader waits for it
        const Bytes after = bytes();
        made.bytes = {after.out - before.out, after.in - before.in};
        return made;
    }

    long http_version() const { return http_version_; }

  private:
    struct Known {
        std::string etag, modified;
        curl_off_t size = -1;
    };
    struct Transfer {
        CURL* handle = nullptr;
        curl_slist* headers = nullptr;
        Known* known = nullptr;
    };

    void open() {
        multi_ = curl_multi_init();
        curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
        curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, 6L);
        share_ = curl_share_init();
        curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
        for (size_t i = 0; i < transfers_.size(); ++i)
            transfers_[i] = prepare(i);
    }

    void quit() {
        if (multi_ == nullptr)
            return;
        curl_multi_cleanup(multi_);
        for (const Transfer& transfer : transfers_) {
            curl_easy_cleanup(transfer.handle);
            curl_slist_free_all(transfer.headers);
        }
        curl_share_cleanup(share_);
        curl_slist_free_all(names_);
        multi_ = nullptr;
        names_ = nullptr;
    }

    Transfer prepare(size_t number) {
        Transfer made{curl_easy_init(), nullptr, &known_[number]};
        const std::string url = settings_.url + settings_.paths[number];
        const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(made.handle, option, value); };
        set(CURLOPT_URL, url.c_str());
        if (names_ == nullptr) {
            const std::string host = settings_.url.substr(std::strlen("https://"));
            names_ = curl_slist_append(nullptr, (host + ":" + settings_.address).c_str());
        }
        set(CURLOPT_RESOLVE, names_);
        set(CURLOPT_PROXY, "");
        set(CURLOPT_CAINFO, settings_.ca_file.c_str());
        set(CURLOPT_SHARE, share_);
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
        set(CURLOPT_PIPEWAIT, 1L);
        set(CURLOPT_PRIVATE, reinterpret_cast<char*>(number));
        set(CURLOPT_WRITEFUNCTION, &ignore);
        set(CURLOPT_HEADERFUNCTION, &note_header);
        set(CURLOPT_HEADERDATA, made.known);
        set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
        set(CURLOPT_OPENSOCKETDATA, this);
        set(CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
        set(CURLOPT_CLOSESOCKETDATA, this);
        if (number == list) {
            set(CURLOPT_POSTFIELDS, settings_.list_body.c_str()); // urlencoded by its type, as the widget has it
        }
        return made;
    }

    // What a browser says about itself, as many bytes of it.
    void set_headers(size_t number) {
        static constexpr std::array<const char*, 4> kinds{"script", "style", "font", "empty"};
        static constexpr std::array<const char*, 4> modes{"no-cors", "no-cors", "cors", "cors"};
        static constexpr std::array<const char*, 4> accepted{"*/*", "text/css,*/*;q=0.1",
                                                             "application/font-woff2;q=1.0,*/*;q=0.5", "*/*"};
        Transfer& transfer = transfers_[number];
        curl_slist_free_all(transfer.headers);
        transfer.headers = nullptr;
        const auto add = [&](const std::string& line) {
            transfer.headers = curl_slist_append(transfer.headers, line.c_str());
        };
        add("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
        add(std::string("Accept: ") + accepted[number]);
        add("Accept-Language: en-US,en;q=0.5");
        add("Accept-Encoding: gzip, deflate, br");
        add("Referer: https://blog.example.test/");
        if (number >= 2)
            add("Origin: https://blog.example.test");
        add(std::string("Sec-Fetch-Dest: ") + kinds[number]);
        add(std::string("Sec-Fetch-Mode: ") + modes[number]);
        add("Sec-Fetch-Site: cross-site");
        if (settings_.is_warm && number != list && !transfer.known->etag.empty())
            add("If-None-Match: " + transfer.known->etag);
        if (settings_.is_warm && number != list && !transfer.known->modified.empty())
            add("If-Modified-Since: " + transfer.known->modified);
        curl_easy_setopt(transfer.handle, CURLOPT_HTTPHEADER, transfer.headers);
    }

    void fetch(const std::vector<size_t>& numbers, Load& load) {
        for (const size_t number : numbers) {
            set_headers(number);
            curl_multi_add_handle(multi_, transfers_[number].handle);
        }
        int running = 1;
        while (running > 0 && curl_multi_perform(multi_, &running) == CURLM_OK)
            if (running > 0)
                curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_, &left))
            note_result(message->easy_handle, message->data.result, load);
        for (const size_t number : numbers)
            curl_multi_remove_handle(multi_, transfers_[number].handle);
    }

    // The same answer as the first time, or that it has not changed.
    void note_result(CURL* handle, CURLcode result, Load& load) {
        long status = 0, connections = 0;
        curl_off_t size = 0;
        char* number = nullptr;
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connections);
        curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &size);
        curl_easy_getinfo(handle, CURLINFO_HTTP_VERSION, &http_version_);
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, &number);
        load.connections += connections;
        load.not_modified += status == 304;
        Known& known = known_[reinterpret_cast<size_t>(number)];
        if (status == 200 && known.size < 0)
            known.size = size;
        if (result != CURLE_OK || (status != 304 && (status != 200 || size != known.size))) {
            load.has_failed = true;
            if (!has_complained_.exchange(true))
                std::fprintf(stderr, "pages: %s: %s, status %ld, %ld bytes instead of %ld\n",
                             settings_.paths[reinterpret_cast<size_t>(number)].c_str(), curl_easy_strerror(result),
                             status, static_cast<long>(size), static_cast<long>(known.size));
        }
    }

    Bytes bytes() const {
        Bytes sum = closed_;
        for (const auto& [socket, unused] : sockets_) {
            const Bytes one = bytes_of(socket);
            sum.out += one.out;
            sum.in += one.in;
        }
        return sum;
    }

    static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) {
        const curl_socket_t made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
        static_cast<Browser*>(self)->sockets_[made] = true;
        return made;
    }

    static int close_socket(void* self, curl_socket_t socket) {
        auto& browser = *static_cast<Browser*>(self);
        const Bytes bytes = bytes_of(socket);
        browser.closed_.out += bytes.out;
        browser.closed_.in += bytes.in;
        browser.sockets_.erase(socket);
        return close(socket);
    }

    static size_t ignore(char*, size_t, size_t count, void*) { return count; }

    static size_t note_header(char* data, size_t, size_t count, void* known) {
        const std::string line(data, count);
        const auto value_of = [&](const char* name) -> std::string {
            const size_t length = std::strlen(name);
            if (strncasecmp(line.c_str(), name, length) != 0)
                return {};
            const size_t begin = line.find_first_not_of(' ', length);
            return line.substr(begin, line.find_last_not_of("\r\n") + 1 - begin);
        };
        auto& noted = *static_cast<Known*>(known);
        if (auto etag = value_of("etag:"); !etag.empty())
            noted.etag = etag;
        if (auto modified = value_of("last-modified:"); !modified.empty())
            noted.modified = modified;
        return count;
    }

    static constexpr size_t list = 3;
    static inline std::atomic<bool> has_complained_{false};

    const Settings& settings_;
    CURLM* multi_ = nullptr;
    CURLSH* share_ = nullptr;
    curl_slist* names_ = nullptr;
    std::array<Transfer, 4> transfers_;
    std::array<Known, 4> known_;
    std::map<curl_socket_t, bool> sockets_;
    Bytes closed_;
    long http_version_ = 0;
};

struct Reader {
    std::vector<Load> loads;
    long http_version = 0;
};

void read_pages(const Settings& settings, double end, Reader& reader) {
    Browser browser(settings);
    if (settings.is_warm)
        browser.load(); // the first one, cold
    while (now() < end || reader.loads.empty())
        reader.loads.push_back(browser.load());
    reader.http_version = browser.http_version();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 11)
        return EXIT_FAILURE;
    const Settings settings{std::strcmp(argv[1], "warm") == 0,
                            argv[2],
                            argv[3],
                            argv[4],
                            std::atof(argv[5]),
                            std::atoi(argv[6]),
                            {argv[7], argv[8], argv[9], "/api/comment/list"},
                            argv[10]};
    curl_global_init(CURL_GLOBAL_ALL);
    const double begin = now();
    std::vector<Reader> readers(static_cast<size_t>(settings.readers));
    std::vector<std::thread> threads;
    for (Reader& reader : readers)
        threads.emplace_back(read_pages, std::cref(settings), begin + settings.seconds, std::ref(reader));
    for (std::thread& thread : threads)
        thread.join();
    const double seconds = now() - begin;

    std::vector<double> times;
    long failed = 0;
    for (const Reader& reader : readers)
        for (const Load& load : reader.loads) {
            times.push_back(load.seconds * 1e6);
            failed += load.has_failed;
        }
    std::sort(times.begin(), times.end());
    const auto percentile = [&](double share) {
        return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
    };
    const Load& last = readers.front().loads.back();
    std::printf("%zu %ld %.6f %.1f %.1f %llu %llu %ld %ld %ld\n", times.size(), failed, seconds, percentile(0.5),
                percentile(0.99), last.bytes.out, last.bytes.in, last.connections, last.not_modified,
                readers.front().http_version == CURL_HTTP_VERSION_2_0 ? 2L : 1L);
    return EXIT_SUCCESS;
}
