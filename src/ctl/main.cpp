#include "ctl/ctl.hpp"

int main(int argc, char** argv) { return commento::ctl_main(argc, argv); }
