#include "pages.hpp"

#include "failure.hpp"
#include "log.hpp"
#include "text.hpp"

#include <fstream>
#include <sstream>

namespace standin {

namespace {

std::string contents_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream || !std::filesystem::is_regular_file(file)) {
        log(Level::error, "cannot read file " + file.string());
        throw FatalError("cannot read " + file.string());
    }
    std::ostringstream contents;
    contents << stream.rdbuf();
    return contents.str();
}

std::string filled_in(const std::filesystem::path& file, const Settings& settings, const std::string& footer) {
    std::string text = contents_of(file);
    text = replace_all(std::move(text), "[[[.Origin]]]", settings.origin);
    text = replace_all(std::move(text), "[[[.CdnPrefix]]]", settings.cdn_prefix);
    text = replace_all(std::move(text), "[[[.Footer]]]", footer);
    return replace_all(std::move(text), "[[[.Version]]]", version);
}

// The host's own table comes first; few minimal hosts have one, so a font then has no type at all.
std::string type_in_mime_database(const std::string& extension) {
    std::ifstream table("/etc/mime.types");
    for (std::string line; std::getline(table, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string type;
        words >> type;
        for (std::string word; words >> word;) {
            if (word == extension) {
                return type.starts_with("text/") ? type + "; charset=utf-8" : type;
            }
        }
    }
    return "";
}

std::string content_type_of(const std::filesystem::path& file) {
    static const std::map<std::string, std::string> built_in = {
        {".css", "text/css; charset=utf-8"},
        {".gif", "image/gif"},
        {".htm", "text/html; charset=utf-8"},
        {".html", "text/html; charset=utf-8"},
        {".jpeg", "image/jpeg"},
        {".jpg", "image/jpeg"},
        {".js", "application/javascript"},
        {".json", "application/json"},
        {".png", "image/png"},
        {".svg", "image/svg+xml"},
        {".webp", "image/webp"},
        {".xml", "text/xml; charset=utf-8"},
    };
    const std::string extension = file.extension().string();
    if (extension.empty()) {
        return "text/html; charset=utf-8";
    }
    const std::string from_host = type_in_mime_database(extension.substr(1));
    const auto known = built_in.find(extension);
    return !from_host.empty() ? from_host : known == built_in.end() ? "" : known->second;
}

void load_folder(Pages& pages, const std::string& name, const Settings& settings, const std::string& footer) {
    const auto folder = settings.static_folder / name;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        const std::string address = "/" + name + "/" + entry.path().filename().string();
        pages[address] = {content_type_of(entry.path()), filled_in(entry.path(), settings, footer)};
    }
    if (error) {
        log(Level::error, "cannot read directory " + folder.string() + ": " + error.message());
        throw FatalError("open " + folder.string() + ": " + error.message());
    }
}

} // namespace

Pages load_pages(const Settings& settings) {
    Pages pages;
    const std::string footer = filled_in(settings.static_folder / "footer.html", settings, "");
    for (const char* folder : {"js", "css", "images", "fonts", "i18n"}) {
        load_folder(pages, folder, settings, footer);
    }
    for (const std::string page : {"login", "forgot", "reset", "signup", "confirm-email", "unsubscribe", "dashboard",
                                   "settings", "logout", "profile"}) {
        const auto file = settings.static_folder / (page + ".html");
        pages["/" + page] = {"text/html; charset=utf-8", filled_in(file, settings, footer)};
    }
    return pages;
}

} // namespace standin
