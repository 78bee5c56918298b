// What libFuzzer does with a corpus, for compilers without it: gives each file of the folders that are named to the
// target, which aborts where a property does not hold.

#include "base/files.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    int inputs = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            const auto input = commento::read_file(entry.path()).value();
            std::printf("%s\n", entry.path().c_str());
            std::fflush(stdout); // the last one named is the one that broke it
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
            ++inputs;
        }
    }
    return inputs > 0 ? 0 : 1;
}
