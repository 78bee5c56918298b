#include "app.hpp"

int main(int, char** argv) { return standin::run(argv[0]); }
