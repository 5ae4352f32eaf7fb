// Work on blocks of a range by several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace fiducial {

// Calls make_worker() once in each thread and worker(block, begin, end) for every block of [0, count).
//
// Which thread does a block is left to chance: a block's result must depend on the block alone, and
// then it is the same for any number of threads.
template <class MakeWorker>
void for_each_block(std::size_t count, std::size_t size, int threads, MakeWorker make_worker) {
    const std::size_t blocks = (count + size - 1) / size;
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex guard;
    auto run = [&] {
        try {
            auto worker = make_worker();
            for (std::size_t block = next++; block < blocks; block = next++) {
                worker(block, block * size, std::min(count, (block + 1) * size));
            }
        } catch (...) {
            const std::lock_guard<std::mutex> lock(guard);
            failure = std::current_exception();
        }
    };
    const std::size_t helpers = std::min<std::size_t>(std::max(threads, 1), std::max<std::size_t>(blocks, 1)) - 1;
    std::vector<std::thread> pool;
    pool.reserve(helpers);
    try {
        for (std::size_t i = 0; i < helpers; ++i) pool.emplace_back(run);
    } catch (const std::system_error &) {
        // No more threads to be had: those that started, and this one, do the work.
    }
    run();
    for (auto &thread : pool) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace fiducial
