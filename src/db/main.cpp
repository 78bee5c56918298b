#include "db/db.hpp"

int main(int argc, char** argv) { return commento::db_main(argc, argv); }
