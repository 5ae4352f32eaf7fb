/* W2 with ESO CPL: cpl_detrend OUTPUT_FOLDER BIAS DARK FLAT MASK OVERSCAN SECONDS FILE...
 *
 * Two amplifiers: data | overscan | overscan | data. Image, variance and mask of each frame. */
#include <cpl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

static const float gain[2] = {1.5f, 1.6f};
static const float read_noise[2] = {5.0f, 6.0f};
static const float saturation = 60000.0f;

static void stop(void) {
    fprintf(stderr, "%s\n", cpl_error_get_message());
    exit(1);
}

static cpl_image *load(const char *name, cpl_type type) {
    cpl_image *image = cpl_image_load(name, type, 0, 0);
    if (image == NULL) stop();
    return image;
}

/* Pixels of one amplifier less the median of each row's overscan; where they are saturated is marked. */
static void amplifier(const cpl_image *raw, int k, int overscan, cpl_image *trimmed, cpl_image *mask) {
    const cpl_size rows = cpl_image_get_size_y(raw), half = cpl_image_get_size_x(trimmed) / 2;
    const cpl_size left = k == 0 ? 1 : half + 2 * overscan + 1, bias = half + k * overscan + 1;
    cpl_image *pixels = cpl_image_extract(raw, left, 1, left + half - 1, rows);
    cpl_image *dark = cpl_image_extract(raw, bias, 1, bias + overscan - 1, rows);
    cpl_image *level = cpl_image_collapse_median_create(dark, 1, 0, 0);
    float *values = cpl_image_get_data_float(pixels);
    const float *levels = cpl_image_get_data_float_const(level);
    int *flags = cpl_image_get_data_int(mask);
    for (cpl_size y = 0; y < rows; ++y)
        for (cpl_size x = 0; x < half; ++x) {
            if (values[y * half + x] >= saturation) flags[y * 2 * half + k * half + x] |= 2;
            values[y * half + x] -= levels[y];
        }
    cpl_image_copy(trimmed, pixels, k * half + 1, 1);
    cpl_image_delete(pixels);
    cpl_image_delete(dark);
    cpl_image_delete(level);
}

/* Variance of light and read-out noise, adu squared. */
static cpl_image *noise(const cpl_image *signal) {
    cpl_image *variance = cpl_image_duplicate(signal);
    float *values = cpl_image_get_data_float(variance);
    const cpl_size width = cpl_image_get_size_x(signal), rows = cpl_image_get_size_y(signal);
    for (cpl_size y = 0; y < rows; ++y)
        for (cpl_size x = 0; x < width; ++x) {
            const int k = x >= width / 2;
            const float read = read_noise[k] / gain[k], v = values[y * width + x];
            values[y * width + x] = (v > 0 ? v : 0) / gain[k] + read * read;
        }
    return variance;
}

int main(int count, char **words) {
    if (count < 9) return 2;
    cpl_init(CPL_INIT_DEFAULT);
    const int overscan = atoi(words[6]);
    cpl_image *bias = load(words[2], CPL_TYPE_FLOAT), *dark = load(words[3], CPL_TYPE_FLOAT);
    cpl_image *flat = load(words[4], CPL_TYPE_FLOAT), *bad = load(words[5], CPL_TYPE_INT);
    cpl_image_multiply_scalar(dark, atof(words[7]));
    for (int i = 8; i < count; ++i) {
        cpl_image *raw = load(words[i], CPL_TYPE_FLOAT);
        cpl_image *image = cpl_image_duplicate(bias), *mask = cpl_image_duplicate(bad);
        for (int k = 0; k < 2; ++k) amplifier(raw, k, overscan, image, mask);
        cpl_image_subtract(image, bias);
        cpl_image *variance = noise(image);
        cpl_image_subtract(image, dark);
        cpl_image_divide(image, flat);
        cpl_image_divide(variance, flat);
        cpl_image_divide(variance, flat);
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", words[1], basename(words[i]));
        if (cpl_propertylist_save(NULL, name, CPL_IO_CREATE) ||
            cpl_image_save(image, name, CPL_TYPE_FLOAT, NULL, CPL_IO_EXTEND) ||
            cpl_image_save(variance, name, CPL_TYPE_FLOAT, NULL, CPL_IO_EXTEND) ||
            cpl_image_save(mask, name, CPL_TYPE_UCHAR, NULL, CPL_IO_EXTEND))
            stop();
        cpl_image_delete(raw);
        cpl_image_delete(image);
        cpl_image_delete(variance);
        cpl_image_delete(mask);
    }
    return 0;
}
