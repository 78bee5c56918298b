#include "nginx/nginx.hpp"

int main(int argc, char** argv) { return commento::nginx_main(argc, argv); }
