/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task paths: does a line join two marks? A grid of characters.
 *
 * Two long lines and some short ones wander over a square of `level` cells a side; two ends are marked O, in
 * half of the items the ends of one long line, in the others one end of each. A line goes from cell to
 * neighbour (of eight), straight on or 45 degrees aside as 2 to 1 to 1, and touches no other line: cells of
 * different lines are more than one apart, with gap=1 more than two. With gap=1 every third cell of a line
 * but its last is left out, so that lines are dashed. So two marked cells are of one line exactly if steps
 * from mark to mark of at most one cell (gap=1: two cells) lead from one mark to the other.
 *
 * Pathfinder-like in kind alone: text instead of images, lines of our own drawing. Figures compare with no
 * other program's. Guessing gets one half.
 */
#include <string.h>

#include "synthetic.h"

enum { SIDE_MAX = 64, SIDE_MIN = 8, TRIES = 40, TURNS = 8, LINE_MAX = 256 };

struct paths {
    struct tare_synthetic set;
    int64_t length;
    int64_t distractors;
    int64_t gap;
};

struct cell {
    int row;
    int column;
};

struct line {
    struct cell cells[LINE_MAX];
    int n;
};

struct grid {
    int side;
    int gap;
    char drawn[SIDE_MAX][SIDE_MAX];          /* what is shown */
    unsigned char owner[SIDE_MAX][SIDE_MAX]; /* number of the line, 0: free */
    unsigned char number;                    /* of the line being drawn */
};

static const struct cell steps[8] = {{0, 1}, {1, 1}, {1, 0}, {1, -1}, {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}};

static bool within(const struct grid *grid, int row, int column)
{
    return row >= 0 && row < grid->side && column >= 0 && column < grid->side;
}

static int distance(struct cell a, struct cell b)
{
    int rows = a.row > b.row ? a.row - b.row : b.row - a.row;
    int columns = a.column > b.column ? a.column - b.column : b.column - a.column;
    return rows > columns ? rows : columns;
}

/* No other line is near, and of its own only the cell before. */
static bool may_enter(const struct grid *grid, const struct line *line, struct cell to)
{
    int reach = 1 + grid->gap;
    if (!within(grid, to.row, to.column)) {
        return false;
    }
    for (int row = to.row - reach; row <= to.row + reach; row++) {
        for (int column = to.column - reach; column <= to.column + reach; column++) {
            if (within(grid, row, column) && grid->owner[row][column] &&
                grid->owner[row][column] != grid->number) {
                return false;
            }
        }
    }
    for (int i = 0; i + 1 < line->n; i++) {
        if (distance(line->cells[i], to) <= 1) {
            return false;
        }
    }
    return true;
}

static void enter(struct grid *grid, struct line *line, struct cell to)
{
    grid->owner[to.row][to.column] = grid->number;
    line->cells[line->n++] = to;
}

/* The next cell by up to TURNS draws of a direction; false where none may be entered. */
static bool step(struct grid *grid, struct tare_rng *rng, struct line *line, int *direction)
{
    static const int turns[4] = {0, 0, 1, 7};
    struct cell at = line->cells[line->n - 1];
    for (int i = 0; i < TURNS; i++) {
        int toward = (*direction + turns[tare_rng_below(rng, 4)]) % 8;
        struct cell to = {at.row + steps[toward].row, at.column + steps[toward].column};
        if (may_enter(grid, line, to)) {
            enter(grid, line, to);
            *direction = toward;
            return true;
        }
    }
    return false;
}

static void erase(struct grid *grid, struct line *line)
{
    for (int i = 0; i < line->n; i++) {
        grid->owner[line->cells[i].row][line->cells[i].column] = 0;
    }
    line->n = 0;
}

static bool try_line(struct grid *grid, struct tare_rng *rng, struct line *line, int length)
{
    struct cell first;
    first.row = (int)tare_rng_below(rng, (uint64_t)grid->side); /* one after the other: a list has no order */
    first.column = (int)tare_rng_below(rng, (uint64_t)grid->side);
    int direction = (int)tare_rng_below(rng, 8);
    line->n = 0;
    if (!may_enter(grid, line, first)) {
        return false;
    }
    enter(grid, line, first);
    while (line->n < length) {
        if (!step(grid, rng, line, &direction)) {
            erase(grid, line);
            return false;
        }
    }
    return true;
}

static void show(struct grid *grid, const struct line *line)
{
    for (int i = 0; i < line->n; i++) {
        bool left_out = grid->gap && i % 3 == 2 && i + 1 < line->n;
        grid->drawn[line->cells[i].row][line->cells[i].column] = left_out ? '.' : '#';
    }
}

/* Draws a line where there is room; false if TRIES beginnings found none. */
static bool draw_line(struct grid *grid, struct tare_rng *rng, struct line *line, int length)
{
    grid->number++;
    for (int i = 0; i < TRIES; i++) {
        if (try_line(grid, rng, line, length)) {
            show(grid, line);
            return true;
        }
    }
    return false;
}

static void mark(struct grid *grid, struct cell cell)
{
    grid->drawn[cell.row][cell.column] = 'O';
}

static void put_grid(struct tare_draft *draft, const struct grid *grid)
{
    tare_draft_puts(draft, "Grid:\n");
    for (int row = 0; row < grid->side; row++) {
        tare_draft_put(draft, grid->drawn[row], (size_t)grid->side);
        tare_draft_putc(draft, '\n');
    }
    tare_draft_puts(draft, "Does a line join O and O? Answer:");
}

static void generate(const struct tare_synthetic *self, struct tare_draft *draft, struct tare_rng *rng,
                     int64_t level)
{
    const struct paths *task = (const struct paths *)self;
    int length = (int)(task->length ? task->length : level);
    struct grid grid = {.side = (int)level, .gap = (int)task->gap};
    struct line lines[2];
    struct line other;
    memset(grid.drawn, '.', sizeof grid.drawn);
    if (!draw_line(&grid, rng, &lines[0], length) || !draw_line(&grid, rng, &lines[1], length)) {
        draft->refused = true;
        return;
    }
    for (int64_t i = 0; i < task->distractors; i++) {
        (void)draw_line(&grid, rng, &other, length / 3 > 3 ? length / 3 : 3);
    }
    uint64_t first = tare_rng_below(rng, 2);
    bool joined = tare_rng_below(rng, 2) == 0;
    const struct line *last = &lines[joined ? first : 1 - first];
    mark(&grid, lines[first].cells[0]);
    mark(&grid, last->cells[last->n - 1]);
    put_grid(draft, &grid);
    tare_draft_end_prompt(draft);
    if (joined) {
        tare_draft_grade(draft, " yes", 4);
    } else {
        tare_draft_grade(draft, " no", 3);
    }
    tare_draft_putc(draft, '\n');
}

static const struct tare_bytes answers[] = {{" yes", 4}, {" no", 3}};

static const struct tare_synthetic_spec spec = {.name = "paths",
                                                .n_levels = 3,
                                                .levels = {10, 14, 18},
                                                .least_level = SIDE_MIN,
                                                .generate = generate,
                                                .choices = answers,
                                                .n_choices = 2};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    const struct paths *task = self;
    int64_t side = task->set.level ? task->set.level : spec.levels[0];
    (void)data_dir;
    if (task->length > 2 * side) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "task paths: two lines of %lld cells have hardly room on %lld x %lld; give a length of "
            "at most %lld",
            (long long)task->length, (long long)side, (long long)side, 2 * (long long)side);
    }
    return tare_synthetic_open(self, &spec, seed, err);
}

static const struct tare_opt options[] = {
    TARE_SYNTHETIC_OPT_ITEMS,
    TARE_SYNTHETIC_OPT_LEVEL("only squares of this many cells a side; 0: 10, 14 and 18 in turn", SIDE_MAX),
    {.name = "length",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct paths, length),
     .def = "0",
     .help = "cells of the two long lines; 0: as many as a side has",
     .min = 0,
     .max = 2 * SIDE_MAX},
    {.name = "distractors",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct paths, distractors),
     .def = "3",
     .help = "short lines of a third of that, as far as there is room",
     .min = 0,
     .max = 100},
    {.name = "gap",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct paths, gap),
     .def = "0",
     .help = "1: every third cell of a line is left out",
     .min = 0,
     .max = 1},
    TARE_SYNTHETIC_OPT_SPLIT,
    TARE_SYNTHETIC_OPT_CHOICE_MODE,
    TARE_OPT_END,
};

const struct tare_task tare_task_paths = {
    .header = TARE_TASK_HEADER,
    .name = "paths",
    .summary = "tell whether a line joins two marks on a grid of text (like Pathfinder in kind alone)",
    .version = 1,
    .priv_size = sizeof(struct paths),
    .options = options,
    .metrics = tare_synthetic_choice_metrics,
    .open = open_task,
    .count = tare_synthetic_count,
    .item = tare_synthetic_item,
    .close = tare_synthetic_close,
};
