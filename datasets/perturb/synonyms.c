/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that may stand for each other in plain prose; see perturb.h.
 *
 * Written for tare, without a thesaurus at hand: common words, each in one group only, in one form of
 * inflection. Close enough for most sentences, wrong in some: a perturbation, not a paraphrase.
 */
#include <string.h>

#include "perturb.h"

enum { IN_GROUP = 4 };

static const char *const groups[][IN_GROUP] = {
    {"big", "large"},
    {"small", "little"},
    {"fast", "quick", "rapid"},
    {"quickly", "rapidly", "swiftly"},
    {"happy", "glad", "cheerful"},
    {"sad", "unhappy", "sorrowful"},
    {"angry", "furious"},
    {"begin", "start", "commence"},
    {"began", "started", "commenced"},
    {"begins", "starts", "commences"},
    {"end", "finish"},
    {"ended", "finished"},
    {"buy", "purchase"},
    {"bought", "purchased"},
    {"choose", "select", "pick"},
    {"chose", "selected", "picked"},
    {"help", "assist", "aid"},
    {"helped", "assisted", "aided"},
    {"show", "display"},
    {"shows", "displays"},
    {"shown", "displayed"},
    {"answer", "reply", "response"},
    {"answered", "replied", "responded"},
    {"ask", "inquire"},
    {"asked", "inquired"},
    {"child", "kid"},
    {"children", "kids"},
    {"difficult", "hard", "tough"},
    {"easy", "simple"},
    {"easily", "simply"},
    {"house", "home", "dwelling"},
    {"road", "street"},
    {"car", "automobile"},
    {"cars", "automobiles"},
    {"job", "occupation"},
    {"error", "mistake"},
    {"errors", "mistakes"},
    {"important", "significant", "major"},
    {"strange", "odd", "peculiar"},
    {"beautiful", "lovely", "pretty"},
    {"ugly", "unsightly"},
    {"smart", "clever", "intelligent"},
    {"stupid", "foolish", "silly"},
    {"rich", "wealthy"},
    {"poor", "needy"},
    {"old", "aged"},
    {"new", "recent", "fresh"},
    {"correct", "right", "accurate"},
    {"wrong", "incorrect", "false"},
    {"idea", "notion", "thought"},
    {"ideas", "notions", "thoughts"},
    {"story", "tale"},
    {"stories", "tales"},
    {"picture", "image"},
    {"pictures", "images"},
    {"place", "spot", "location"},
    {"places", "spots", "locations"},
    {"people", "folk", "persons"},
    {"man", "gentleman"},
    {"woman", "lady"},
    {"women", "ladies"},
    {"doctor", "physician"},
    {"doctors", "physicians"},
    {"speak", "talk"},
    {"spoke", "talked"},
    {"look", "glance"},
    {"looked", "glanced"},
    {"shout", "yell"},
    {"shouted", "yelled"},
    {"throw", "toss", "hurl"},
    {"threw", "tossed", "hurled"},
    {"build", "construct"},
    {"built", "constructed"},
    {"destroy", "ruin", "wreck"},
    {"destroyed", "ruined", "wrecked"},
    {"allow", "permit", "let"},
    {"allowed", "permitted"},
    {"stop", "halt", "cease"},
    {"stopped", "halted", "ceased"},
    {"need", "require"},
    {"needs", "requires"},
    {"needed", "required"},
    {"get", "obtain"},
    {"got", "obtained"},
    {"keep", "retain"},
    {"kept", "retained"},
    {"use", "employ"},
    {"used", "employed"},
    {"try", "attempt"},
    {"tried", "attempted"},
    {"maybe", "perhaps", "possibly"},
    {"often", "frequently"},
    {"usually", "generally", "normally"},
    {"also", "too"},
    {"almost", "nearly"},
    {"enough", "sufficient"},
    {"entire", "whole", "complete"},
    {"very", "extremely", "highly"},
    {"about", "around", "roughly"},
    {"great", "terrific", "wonderful"},
    {"good", "fine", "decent"},
    {"bad", "lousy", "rotten"},
    {"terrible", "awful", "horrible"},
    {"boring", "dull", "tedious"},
    {"funny", "amusing", "humorous"},
    {"movie", "film"},
    {"movies", "films"},
    {"actor", "performer"},
    {"actors", "performers"},
    {"dark", "dim"},
    {"bright", "brilliant"},
    {"quiet", "silent", "still"},
    {"loud", "noisy"},
    {"cold", "chilly"},
    {"hot", "scorching"},
    {"wet", "damp"},
    {"empty", "vacant"},
    {"brave", "courageous", "bold"},
    {"afraid", "scared", "frightened"},
    {"tired", "weary"},
    {"rest", "remainder"},
    {"gift", "present"},
    {"town", "city"},
    {"shop", "store"},
    {"rock", "stone"},
    {"rocks", "stones"},
    {"forest", "wood"},
    {"sea", "ocean"},
    {"ship", "vessel"},
    {"ships", "vessels"},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

static size_t size_of(const char *const *group)
{
    size_t n = 0;
    while (n < IN_GROUP && group[n]) {
        n++;
    }
    return n;
}

const char *const *tare_perturb_synonyms(const char *word, size_t n, size_t *out_n)
{
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t i = 0; i < IN_GROUP && groups[g][i]; i++) {
            if (groups[g][i][0] == word[0] && strlen(groups[g][i]) == n &&
                memcmp(groups[g][i], word, n) == 0) {
                *out_n = size_of(groups[g]);
                return groups[g];
            }
        }
    }
    return NULL;
}
