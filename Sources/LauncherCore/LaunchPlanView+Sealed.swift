import CLinux
import Glibc

extension LaunchPlanView {
    /// Maps a plan that nobody can change any more, for as long as the process lives. Nil if it is not one.
    init?(sealed memory: Int32) {
        var status = stat()
        guard memory >= 0, bailey_memfd_is_sealed(memory) == 1, fstat(memory, &status) == 0,
            status.st_size > 0, status.st_size <= off_t(PlanLayout.bytesMax)
        else { return nil }
        let size = Int(status.st_size)
        guard let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, memory, 0), mapped != MAP_FAILED else { return nil }
        self.init(UnsafeRawBufferPointer(start: mapped, count: size))
    }
}
