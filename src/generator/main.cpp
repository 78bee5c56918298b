#include "generator/generator.hpp"

int main(int argc, char** argv) { return commento::generator_main(argc, argv); }
