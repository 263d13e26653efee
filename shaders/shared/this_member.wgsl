// The members that a dispatch is made for, chosen by a dynamic offset: the third dimension of its grid counts them.

@group(2) @binding(0) var<uniform> members: array<Member, MOST_MEMBERS>;

// The member that the workgroup computes for. Whatever lives no longer than a submission lies by its seat among those that
// train, everything else by its number in the fleet.
var<private> member: Member;
var<private> seat: u32;

fn take_seat(workgroup: vec3<u32>) {
    seat = workgroup.z;
    member = members[workgroup.z];
}
