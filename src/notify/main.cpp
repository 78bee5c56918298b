#include "notify/notify.hpp"

int main(int argc, char** argv) { return commento::notify_main(argc, argv); }
