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
        await WrongCode();
        await WrongCode();

        var refused = wrong.TakeCode(Serial, Here);
        Assert.Equal((RefusalCode.Activation, TimeSpan.FromSeconds(600) - LongestDelay), (refused!.Code, refused.RetryAfter));
        clock.Advance(refused.RetryAfter - TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(1), wrong.TakeCode(Serial, Here)!.RetryAfter);

        // Asking in between has not made it longer, and a wrong one begins a new count.
        clock.Advance(TimeSpan.FromSeconds(1));
        await WrongCode();
        await WrongCode();
        Assert.NotNull(wrong.TakeCode(Serial, Here));
    }

    [Fact]
    public async Task Codes_of_another_address_or_serial_number_are_looked_at_all_the_same()
    {
        await WrongCode();
        await WrongCode();

        Assert.NotNull(wrong.TakeCode(Serial, new IPEndPoint(Here.Address, 4001)));
        Assert.Null(wrong.TakeCode(Serial, new IPEndPoint(IPAddress.Parse("192.0.2.2"), 4000)));
        Assert.Null(wrong.TakeCode("SN-2", Here));
    }

    [Fact]
    public async Task Wrong_proofs_and_codes_that_were_right_do_not_count_as_wrong_codes()
    {
        for (var i = 0; i < 3; i++)
        {
            await WrongProof();
            Assert.Null(wrong.TakeCode(Serial, Here));
            wrong.GiveBack(Serial, Here);
        }

        await WrongCode();
        Assert.Null(wrong.TakeCode(Serial, Here));
        Assert.NotNull(wrong.TakeCode(Serial, Here));
    }

    /// <summary>Wrong codes and right ones race on real threads; which come when is the seed's.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Wrong_codes_at_once_that_are_looked_at_are_as_many_as_the_limit(int seed)
    {
        const int Limit = 7, Racers = 8, Tries = 400;
        for (var round = 0; round < 50; round++)
        {
            var attempts = new WrongAttempts(clock, Options.Create(new SessionOptions { MaxWrongCodes = Limit }));
            var looked = 0;
            using var start = new Barrier(Racers);
            await Task.WhenAll(Enumerable.Range(0, Racers).Select(racer => Task.Factory.StartNew(
                () =>
                {
                    var random = new Random((seed * 1_000_000) + (round * 1_000) + racer);
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    for (var i = 0; i < Tries; i++)
                    {
                        if (attempts.TakeCode(Serial, Here) is null)
                        {
                            Thread.SpinWait(random.Next(50));
                            if (random.Next(8) == 0)
                            {
                                Interlocked.Increment(ref looked);
                            }
                            else
                            {
                                attempts.GiveBack(Serial, Here);
                            }
                        }
                    }
                },
                TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

            Assert.True(looked == Limit, $"seed {seed}, round {round}: {looked} wrong codes were looked at");
        }
    }

    private Task WrongProof() => Wait(wrong.Delay(Serial, Here, clock.GetTimestamp(), TestContext.Current.CancellationToken));

    private Task WrongCode()
    {
        Assert.Null(wrong.TakeCode(Serial, Here));
        return WrongProof();
    }

    private async Task Wait(Task delay)
    {
        clock.Advance(LongestDelay);
        await delay;
    }
}
