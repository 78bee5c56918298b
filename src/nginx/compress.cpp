#include "nginx/compress.hpp"

#include <brotli/encode.h>
#include <cstdint>
#include <stdexcept>
#include <zlib.h>

namespace commento {
namespace {

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

} // namespace

std::string gzip(std::string_view content) {
    constexpr int kGzip = 16; // added to the window's bits (zlib.h, deflateInit2)
    constexpr int kMemory = 9;
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib has no memory");
    std::string compressed(deflateBound(&stream, content.size()), '\0');
    stream.next_in = const_cast<Bytef*>(bytes_of(content)); // zlib does not write to it
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_out = static_cast<uInt>(compressed.size());
    deflate(&stream, Z_FINISH); // all of it, into a buffer that is large enough
    compressed.resize(stream.total_out);
    deflateEnd(&stream);
    return compressed;
}

std::string brotli(std::string_view content) {
    std::string compressed(BrotliEncoderMaxCompressedSize(content.size()), '\0');
    std::size_t size = compressed.size();
    if (BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_MAX_WINDOW_BITS, BROTLI_MODE_TEXT, content.size(),
                              bytes_of(content), &size,
                              reinterpret_cast<std::uint8_t*>(compressed.data())) != BROTLI_TRUE)
        throw std::runtime_error("brotli has no memory");
    compressed.resize(size);
    return compressed;
}

} // namespace commento
