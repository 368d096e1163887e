// SPDX-License-Identifier: Apache-2.0
/* Nothing at all: what preloading any library costs. */
extern const int cost_empty;
const int cost_empty = 0;
