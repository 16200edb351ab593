using System.Net;
using DeviceHub.Core;
using DeviceHub.Gateways;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Terminals;

public sealed class WrongAttemptsTests
{
    private const string Serial = "SN-1";

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly IPEndPoint Here = new(IPAddress.Parse("192.0.2.1"), 4000);

    private readonly FakeTimeProvider clock = new();
    private readonly WrongAttempts wrong;

    public WrongAttemptsTests() =>
        wrong = new(clock, Options.Create(new SessionOptions { MaxWrongCodes = 2, WrongMemorySeconds = 600 }));

    [Fact]
    public async Task Codes_are_not_looked_at_after_too_many_wrong_ones_until_those_are_forgotten()
    {
        await Guess(code: true);
        Assert.Null(wrong.RefuseCodes(Serial, Here));

        await Guess(code: true);
        var refused = wrong.RefuseCodes(Serial, Here);
        Assert.Equal((RefusalCode.Activation, TimeSpan.FromSeconds(600) - LongestDelay), (refused!.Code, refused.RetryAfter));
        clock.Advance(refused.RetryAfter - TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(1), wrong.RefuseCodes(Serial, Here)!.RetryAfter);

        // Asking in between has not made it longer, and a wrong one begins a new count.
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(wrong.RefuseCodes(Serial, Here));
        clock.Advance(TimeSpan.FromSeconds(1));
        await Guess(code: true);
        Assert.Null(wrong.RefuseCodes(Serial, Here));
    }

    [Fact]
    public async Task Codes_of_another_address_or_serial_number_are_looked_at_all_the_same()
    {
        await Guess(code: true);
        await Guess(code: true);

        Assert.NotNull(wrong.RefuseCodes(Serial, new IPEndPoint(Here.Address, 4001)));
        Assert.Null(wrong.RefuseCodes(Serial, new IPEndPoint(IPAddress.Parse("192.0.2.2"), 4000)));
        Assert.Null(wrong.RefuseCodes("SN-2", Here));
    }

    [Fact]
    public async Task Wrong_proofs_do_not_count_as_wrong_codes()
    {
        await Guess(code: false);
        await Guess(code: false);
        await Guess(code: false);

        Assert.Null(wrong.RefuseCodes(Serial, Here));
    }

    private async Task Guess(bool code)
    {
        var delay = wrong.Delay(Serial, Here, clock.GetTimestamp(), code, TestContext.Current.CancellationToken);
        clock.Advance(LongestDelay);
        await delay;
    }
}
