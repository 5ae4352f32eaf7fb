/* W1 and W1z with ESO CPL: cpl_stack OUTPUT EXTENSION FILE...
 *
 * Kappa-sigma clipping about the mean, 3 sigma (ddof = 1), up to 20 rounds, at least 30 per cent kept. */
#include <cpl.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(void) {
    fprintf(stderr, "%s\n", cpl_error_get_message());
    return 1;
}

int main(int count, char **words) {
    if (count < 4) return 2;
    cpl_init(CPL_INIT_DEFAULT);
    const int extension = atoi(words[2]);
    cpl_imagelist *frames = cpl_imagelist_new();
    for (int i = 3; i < count; ++i) {
        cpl_image *frame = cpl_image_load(words[i], CPL_TYPE_FLOAT, 0, extension);
        if (frame == NULL) return failed();
        cpl_imagelist_set(frames, frame, i - 3);
    }
    cpl_image *stacked =
        cpl_imagelist_collapse_sigclip_create(frames, 3.0, 3.0, 0.3, CPL_COLLAPSE_MEAN, NULL);
    if (stacked == NULL) return failed();
    if (cpl_image_save(stacked, words[1], CPL_TYPE_FLOAT, NULL, CPL_IO_CREATE)) return failed();
    return 0;
}
