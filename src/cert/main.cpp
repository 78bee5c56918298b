#include "cert/cert.hpp"

int main(int argc, char** argv) { return commento::cert_main(argc, argv); }
