/* How the search ranks what it finds: a page whose title has the word first; what changed, and measurements, last. */
var Scorer = {
  score: function (result) {
    var page = result[0], score = result[4];
    /* The reference is for who types a name: the guide comes first for words. */
    if (/^(c|cpp|types)-/.test(page) && score < 30 && page !== "c-api") score -= 12;
    if (page === "questions") score += 4;
    if (/^(changes|measurements|contributing|architecture|building|abi-stability)$/.test(page)) return score - 20;
    if (/^example-/.test(page)) return score - 10;
    return score;
  },
  objNameMatch: 20,
  objPartialMatch: 3,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2
};
