#include "words.h"

unsigned count_words(const char *text) {
    unsigned count = 0;
    int inside = 0;
    for (; *text; text++) {
        int is_space = *text == ' ' || *text == '\n' || *text == '\t';
        count += !is_space && !inside;
        inside = !is_space;
    }
    return count;
}
