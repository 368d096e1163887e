// SPDX-License-Identifier: Apache-2.0
/* The propagators of this folder. Private to propagator/. */
#ifndef AT_PROPAGATOR_FORMATS_H
#define AT_PROPAGATOR_FORMATS_H

#include "propagator/propagator.h"

extern const struct at_propagator at_propagator_tracecontext;
extern const struct at_propagator at_propagator_baggage;

#endif
