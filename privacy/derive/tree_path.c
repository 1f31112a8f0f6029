// SPDX-License-Identifier: Apache-2.0
// Weights by eliminating the normal equations of a chain from the bottom up: one division a level.
#include "privacy/derive/tree_path.h"
#include "privacy/tail.h"
#include <math.h>
#include <string.h>

#define NORMAL_STEPS 60 // halvings of [0, 9]: beyond the precision of a double

// Which nodes lie where, level by level; `width` is how many bins a node of the level covers.
static void path_place(const gw_tree_shape *shape, const gw_tree_levels *levels, size_t boundary, gw_tree_path *path) {
    size_t width = 1;
    path->top = shape->level_count - 1;
    path->bottom = 0;
    for (size_t level = 0; level <= path->top; level++, width *= shape->fan) {
        gw_tree_step *step = &path->steps[level];
        bool is_end = boundary == shape->bin_count; // after the last node, however few bins that has
        size_t place = is_end ? levels->counts[level] : boundary / width;
        size_t end = levels->counts[level];
        step->has_path = !is_end && boundary % width != 0;
        if (!step->has_path)
            path->bottom = level;
        step->first = 0;
        if (level < path->top && !is_end) {
            step->first = place / shape->fan * shape->fan;
            end = step->first + shape->fan < end ? step->first + shape->fan : end;
        }
        step->left = place - step->first;
        step->right = end - place - (step->has_path ? 1 : 0);
    }
}

// beta_l = constant + share * beta_(l+1) from the bottom, then from the top beta_top = -theta downwards.
static void path_weigh(gw_tree_path *path) {
    double constant = 0.0, share = 0.0; // of the level below
    for (size_t level = path->bottom; level < path->top; level++) {
        gw_tree_step *step = &path->steps[level];
        double divisor = (double)(step->left + step->right) + 1.0 + (step->has_path ? 1.0 - share : 0.0);
        constant = (constant - (double)step->left) / divisor;
        share = 1.0 / divisor;
        step->fixed = constant;
        step->slope = share;
    }
    path->steps[path->top].fixed = 0.0;
    path->steps[path->top].slope = -1.0;
    for (size_t level = path->top; level-- > path->bottom;) {
        gw_tree_step *step = &path->steps[level];
        step->fixed += step->slope * step[1].fixed;
        step->slope *= step[1].slope;
    }
}

void gw_tree_path_at(const gw_tree_shape *shape, const gw_tree_levels *levels, size_t boundary, gw_tree_path *ret) {
    memset(ret, 0, sizeof(*ret));
    path_place(shape, levels, boundary, ret);
    path_weigh(ret);
}

void gw_tree_path_fewest(gw_tree_path *path) {
    // Nodes used up to a level where its beta is 0 (left ones) and where it is -1 (right ones), and which of the two
    // the level below has in each case.
    bool below_is_right[GW_TREE_LEVELS_MAX][2] = {{false}};
    size_t used[2] = {0, 0};
    for (size_t level = path->bottom; level <= path->top; level++) {
        const gw_tree_step *step = &path->steps[level];
        size_t next[2] = {step->left, step->right};
        for (int side = 0; side < 2 && step->has_path; side++) {
            size_t same = used[side], other = used[1 - side] + 1; // a change uses the node that the boundary cuts
            below_is_right[level][side] = other < same ? side == 0 : side == 1;
            next[side] += other < same ? other : same;
        }
        used[0] = next[0];
        used[1] = next[1];
    }
    bool is_right = false;
    for (size_t level = path->top + 1; level-- > path->bottom;) {
        path->steps[level].fixed = is_right ? -1.0 : 0.0;
        path->steps[level].slope = 0.0;
        is_right = below_is_right[level][is_right];
    }
}

typedef struct {
    double left, right, cut;
} step_weights;

static step_weights weights_at(const gw_tree_path *path, size_t level, double theta) {
    const gw_tree_step *step = &path->steps[level];
    double beta = step->fixed + step->slope * theta;
    step_weights weights = {1.0 + beta, beta, 0.0};
    if (step->has_path)
        weights.cut = beta - (step[-1].fixed + step[-1].slope * theta);
    return weights;
}

gw_tree_weights gw_tree_path_weights(const gw_tree_path *path, double theta) {
    gw_tree_weights sums = {0.0, 0.0};
    for (size_t level = path->bottom; level <= path->top; level++) {
        const gw_tree_step *step = &path->steps[level];
        step_weights weights = weights_at(path, level, theta);
        double left = weights.left * weights.left, right = weights.right * weights.right;
        double cut = weights.cut * weights.cut;
        sums.squares += (double)step->left * left + (double)step->right * right + cut;
        sums.fourths += (double)step->left * left * left + (double)step->right * right * right + cut * cut;
    }
    return sums;
}

// Adds `count` weights of fixed + slope * theta.
static void squares_add(gw_tree_squares *squares, size_t count, double fixed, double slope) {
    squares->constant += (double)count * fixed * fixed;
    squares->linear += (double)count * 2.0 * fixed * slope;
    squares->quadratic += (double)count * slope * slope;
}

gw_tree_squares gw_tree_path_squares(const gw_tree_path *path) {
    gw_tree_squares squares = {0.0, 0.0, 0.0};
    for (size_t level = path->bottom; level <= path->top; level++) {
        const gw_tree_step *step = &path->steps[level];
        squares_add(&squares, step->left, 1.0 + step->fixed, step->slope);
        squares_add(&squares, step->right, step->fixed, step->slope);
        if (step->has_path)
            squares_add(&squares, 1, step->fixed - step[-1].fixed, step->slope - step[-1].slope);
    }
    return squares;
}

double gw_tree_squares_at(gw_tree_squares squares, double theta) {
    return fmax(0.0, squares.constant + theta * (squares.linear + theta * squares.quadratic)) + 1e-12;
}

static void term_add(gw_noise_term *terms, size_t *count, gw_noise_term term) {
    if (term.count > 0 && term.weight > 0.0)
        terms[(*count)++] = term;
}

size_t gw_tree_path_terms(const gw_tree_path *path, gw_tree_thetas thetas, gw_noise noise, size_t pooled,
                          gw_noise_term terms[GW_TREE_TERMS_MAX]) {
    size_t count = 0;
    for (size_t level = path->bottom; level <= path->top; level++) {
        const gw_tree_step *step = &path->steps[level];
        step_weights low = weights_at(path, level, thetas.low), high = weights_at(path, level, thetas.high);
        double left = fmax(fabs(low.left), fabs(high.left)), right = fmax(fabs(low.right), fabs(high.right));
        double cut = fmax(fabs(low.cut), fabs(high.cut));
        term_add(terms, &count, (gw_noise_term){.noise = noise, .weight = left, .count = step->left * pooled});
        term_add(terms, &count, (gw_noise_term){.noise = noise, .weight = right, .count = step->right * pooled});
        term_add(terms, &count, (gw_noise_term){.noise = noise, .weight = cut, .count = pooled});
    }
    return count;
}

static double noise_rate(gw_noise noise) {
    return (double)noise.epsilon.micro / 1e6 / (double)noise.sensitivity;
}

// The s tried are spread evenly in a power of the logarithm of 1 - (s / rate)^2, where the best one moves slowly.
void gw_tree_moments_of(gw_noise noise, gw_tree_moments *ret) {
    double rate = noise_rate(noise);
    for (size_t i = 0; i < GW_TREE_REACH_MOMENTS; i++) {
        double s = rate * sqrt(-expm1(-12.0 * pow((double)(i + 1) / GW_TREE_REACH_MOMENTS, 3.0)));
        double ratio = sinh(s / 2.0) / sinh(rate / 2.0);
        ret->s[i] = s;
        ret->cumulant[i] = ratio < 1.0 ? -log1p(-ratio * ratio) : INFINITY;
    }
}

// Chernoff: for weights w <= 1, ln E exp(s w Z) <= w^2 ln E exp(s Z), so this c holds for every s (tree_estimate.md).
double gw_tree_reach(const gw_tree_moments *moments, double squares, double chance) {
    double best = INFINITY, likely = log(2.0 / chance);
    if (squares <= 0.0)
        return 0.0;
    for (size_t i = 0; i < GW_TREE_REACH_MOMENTS; i++)
        best = fmin(best, (squares * moments->cumulant[i] + likely) / moments->s[i]);
    return best * (1.0 + 1e-9);
}

// z with P(|N| > z) = chance for a standard normal N.
static double normal_half_width(double chance) {
    double low = 0.0, high = 9.0;
    for (int i = 0; i < NORMAL_STEPS; i++) {
        double middle = (low + high) / 2.0;
        if (erfc(middle / M_SQRT2) > chance)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double gw_tree_expected(gw_noise noise, gw_tree_weights weights, double chance) {
    if (weights.squares <= 0.0)
        return 0.0;
    double z = normal_half_width(chance);
    double excess = 3.0 * weights.fourths / (weights.squares * weights.squares); // of a Laplace variable: 3
    double heavier = fmax(0.0, z * (z * z - 3.0) * excess / 24.0);
    return gw_tail_sd(noise) * sqrt(weights.squares) * (z + heavier);
}
