#include "metrics/metrics.hpp"

int main(int argc, char** argv) { return commento::metrics_main(argc, argv); }
