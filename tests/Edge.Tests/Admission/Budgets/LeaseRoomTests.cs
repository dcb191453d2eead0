using Gateway.Edge.Admission.Budgets;

namespace Gateway.Edge.Tests.Admission.Budgets;

public sealed class LeaseRoomTests
{
    [Fact]
    public void Requests_at_once_take_what_there_is_and_no_more_and_nothing_gets_lost()
    {
        const int Calls = 20_000;
        var room = new LeaseRoom(charged: 0) { FreshUntil = long.MaxValue };
        room.Add(1_000);
        var served = 0;

        // Each holds 10 and uses 1: the room pays for a thousand, whatever their order.
        Parallel.For(0, Calls, new ParallelOptions { MaxDegreeOfParallelism = 8 }, call =>
        {
            if (room.TryReserve(10, out var left))
            {
                Assert.True(left >= 0);
                Interlocked.Increment(ref served);
                room.Settle(10, 1);
            }
            else if (call % 3 == 0 && room.TakeOut(7) is > 0 and var taken)
            {
                room.Add(taken);
            }
        });

        Assert.Equal(served, room.Charged);
        Assert.Equal(1_000 - served, room.Free);
        Assert.InRange(room.Free, 0, 1_000 - 1);
        Assert.Equal(0, room.Reserved);
        Assert.Equal(0, room.UnderWay);
    }

    [Fact]
    public void What_costs_more_than_was_reserved_is_missing_until_it_is_granted()
    {
        var room = new LeaseRoom(charged: 5) { FreshUntil = long.MaxValue };
        room.Add(10);
        Assert.True(room.TryReserve(10, out var left));
        Assert.Equal(0, left);

        room.Settle(10, 12);

        Assert.Equal((-2, 17), (room.Free, room.Charged));
        Assert.False(room.TryReserve(0, out _));
        Assert.Equal(0, room.TakeOut(long.MaxValue));
        room.Add(2);
        Assert.True(room.TryReserve(0, out _));
    }
}
