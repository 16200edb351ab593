using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.Api;
using DeviceHub.Server.Hosting;
using DeviceHub.Tests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static DeviceHub.IntegrationTests.Reconciliation.ReconciliationFixture;

namespace DeviceHub.IntegrationTests.Reconciliation;

/// <summary>The files that people download: two runs of the same bill and books give the same bytes.</summary>
public sealed class RepeatedReportTests
{
    private static readonly DateOnly NextDay = Day.AddDays(1);

    [Fact]
    public async Task Two_runs_of_days_with_differences_of_every_kind_give_the_same_csv_and_xlsx_byte_for_byte()
    {
        using var books = new ReconciliationFixture(feeBasisPoints: 60);
        var (bill, nextBill) = await Everything(books);
        var (first, firstNext) = await Files(books, bill, nextBill);
        var reasons = (await books.Report()).Concat(await books.Report(NextDay)).Select(d => d.Reason).ToHashSet();
        Assert.Empty(Enum.GetValues<DifferenceReason>().Except(reasons));
        var (proposals, differences) = (await books.Proposals(), books.Storage.Number("SELECT count(*) FROM reconciliation_difference"));

        // Made two seconds apart at least, so that no time of making can hide in them: a zip's times have that grain.
        await Eventually.Passes(TimeSpan.FromSeconds(2.1));
        var (second, secondNext) = await Files(books, bill, nextBill);
        Assert.Equal(first, second);
        Assert.Equal(firstNext, secondNext);
        Assert.Equal(proposals.Select(p => (p.Id, p.OrderNumber, p.State)), (await books.Proposals()).Select(p => (p.Id, p.OrderNumber, p.State)));
        Assert.Equal(differences, books.Storage.Number("SELECT count(*) FROM reconciliation_difference"));
    }

    private static async Task<(byte[][] Day, byte[][] Next)> Files(ReconciliationFixture books, List<BillRow> bill, List<BillRow> nextBill)
    {
        await books.Run(nextBill, NextDay);
        await books.Run(bill, null, "A3");
        return (await Files(books, Day), await Files(books, NextDay));
    }

    private static async Task<byte[][]> Files(ReconciliationFixture books, DateOnly day)
    {
        var place = Directory.CreateTempSubdirectory("hub-report-").FullName;
        try
        {
            using var folder = DataFolder.Open(place);
            using var report = new ReconciliationReport(books.Storage.Reads, folder);
            var id = (await books.Row(day)).Id;
            return [await Bytes(await report.Csv(id, default)), await Bytes(await report.Xlsx(id, default))];
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }

    private static async Task<byte[]> Bytes(IResult result)
    {
        using var body = new MemoryStream();
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        await result.ExecuteAsync(new DefaultHttpContext { RequestServices = services, Response = { Body = body } });
        Assert.NotEqual(0, body.Length);
        return body.ToArray();
    }

    /// <summary>Both days' bills, with every reason in one of them.</summary>
    private static async Task<(List<BillRow> Bill, List<BillRow> Next)> Everything(ReconciliationFixture books)
    {
        var bill = await ReconciliationBookTests.Mixed(books);
        var at = Noon.AddMinutes(1);
        var (firstOfOrder, secondOfOrder) = await DuplicatesTests.OrderPaidTwice(books, at, 100);
        var (firstAttempt, secondAttempt) = await DuplicatesTests.PaymentPaidTwice(books, at.AddSeconds(2), chargedInBooks: true);
        var elsewhere = await books.Pay(at.AddSeconds(3), 100, null, "A2", Charged(100));
        var shared = await books.Pay(at.AddSeconds(8), 100, null, "A3", Charged(100));
        var notReturned = await Reversed(books, at.AddSeconds(4));
        var refundDiffers = await Refunded(books, at.AddSeconds(5), Verdict.Refunded);
        var refundFailed = await Refunded(books, at.AddSeconds(6), Verdict.RefundFailed);
        var dear = await books.Approved(at.AddSeconds(7), 10_000);
        var midnight = await books.Approved(BillDay.End(Day).AddSeconds(-1), 100);
        await books.Approved(BillDay.Start(Day).AddSeconds(1), 100);
        var undoneLater = await Reversed(books, Noon.AddDays(1));
        bill.AddRange(
            [
                Charge(firstOfOrder, 100, 21), Charge(secondOfOrder, 100, 22), Charge(firstAttempt, 100, 23), Charge(secondAttempt, 100, 24), Charge(elsewhere, 100, 25),
                Charge(notReturned, 100, 26), Charge(refundDiffers, 100, 27), Refund(refundDiffers, refundDiffers + "r1", 50, 28), Charge(refundFailed, 100, 29),
                Refund(refundFailed, refundFailed + "r1", 100, 30), Charge(dear, 10_000, 31, fee: 100), Charge(shared, 100, 32),
            ]);
        return (bill, [Charge(midnight, 100, 1), Charge(undoneLater, 100, 2)]);
    }

    private static Task<string> Reversed(ReconciliationFixture books, DateTimeOffset at) => books.Pay(
        at, 100, (t, _) => new Interrupted(t, 1), (t, _) => new Queried(t, 1, new ChannelVerdict(Verdict.Reversed, "REVERSED")));

    private static Task<string> Refunded(ReconciliationFixture books, DateTimeOffset at, Verdict verdict) => books.Pay(
        at, 100, Charged(100), (t, order) => new RefundStarted(t, 1, order + "r1", 100, "returned", "user:ann", "k"),
        (t, order) => new RefundAnswered(t, 1, order + "r1", new ChannelVerdict(verdict, "OK")));
}
