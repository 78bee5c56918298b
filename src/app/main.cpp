#include "app/app.hpp"

int main(int argc, char** argv) { return commento::app_main(argc, argv); }
