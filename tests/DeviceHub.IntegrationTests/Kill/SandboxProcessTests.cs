using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Tests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Kill;

public sealed class SandboxProcessTests
{
    [Fact]
    public async Task Charge_stands_when_its_caller_gives_up_waiting_and_the_process_is_killed()
    {
        await using var sandbox = new SandboxProcess();
        await sandbox.Start();
        using var hub = Channel(sandbox.Url, out var channel);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));

        // 20: charged, and the answer takes longer than anyone waits.
        var pay = channel.Pay(Payment("d1", 1020), patience.Token);
        await Eventually.Holds(async () => (await sandbox.Book()).Any(c => c is { Order: "d1", NetFen: 1020 }), "the charge is in the book");
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pay);
        await sandbox.Kill();
        await sandbox.Start();

        Assert.Equal(Verdict.Approved, (await channel.Query(Payment("d1", 1020).Reference, CancellationToken.None)).Verdict);
        Assert.Equal(Verdict.Reversed, (await channel.Reverse(Payment("d1", 1020).Reference, CancellationToken.None)).Verdict);
        Assert.Equal(new SandboxCharge("d1", 1020, 1, 0, false), Assert.Single(await sandbox.Book()));
    }

    [Fact]
    public async Task Payment_is_unknown_when_the_process_dies_after_it_was_sent_and_safe_to_reroute_when_there_is_none()
    {
        await using var sandbox = new SandboxProcess();
        await sandbox.Start();
        using var hub = Channel(sandbox.Url, out var channel);
        Assert.Equal(Verdict.Approved, (await channel.Pay(Payment("d1", 1000), CancellationToken.None)).Verdict);

        var pay = channel.Pay(Payment("d2", 1020), CancellationToken.None);
        await Eventually.Holds(async () => (await sandbox.Book()).Count == 2, "the second charge is in the book");
        await sandbox.Kill();

        Assert.Equal(Verdict.Unknown, (await pay).Verdict);
        Assert.Equal(Verdict.Rerouteable, (await channel.Pay(Payment("d3", 1000), CancellationToken.None)).Verdict);
        Assert.Equal(Verdict.Unknown, (await channel.Query(Payment("d1", 1000).Reference, CancellationToken.None)).Verdict);
        Assert.Equal(Verdict.Unknown, (await channel.Reverse(Payment("d1", 1000).Reference, CancellationToken.None)).Verdict);

        await sandbox.Start();
        Assert.Equal(["d1", "d2"], (await sandbox.Book()).Select(c => c.Order).Order());
    }

    private static ServiceProvider Channel(Uri url, out IPaymentChannel channel)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Sandbox:Url", url.ToString())]).Build();
        var provider = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSandbox().BuildServiceProvider();
        channel = provider.GetRequiredService<IPaymentChannel>();
        return provider;
    }

    private static ChannelPayment Payment(string order, long amountFen) => new(
        new ChannelReference(order, new ChannelAccount { Id = "M1", MerchantId = "M1", Channel = "sandbox" }, amountFen), new PaymentCode("134567890123456789"), Wallet.WeChat, "Noodle shop", "SN1", DateTimeOffset.MaxValue);
}
