using DeviceHub.Core;
using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>The way between a terminal and the hub: messages are lost, doubled and late, and overtake each other; at times nothing goes.</summary>
internal sealed class Link(World world)
{
    private readonly double loss = world.Chance(0.3) ? 0.2 : 0.03;
    private readonly TimeSpan offFrom = world.Between(0, 200);
    private readonly TimeSpan offFor = world.Chance(0.2) ? world.Between(5, 300) : TimeSpan.Zero;

    private bool IsOff => !world.Calm && world.Now >= offFrom && world.Now < offFrom + offFor;

    public void Carry(Action message)
    {
        for (var copies = world.Fault(0.08) ? 2 : 1; copies > 0; copies--)
        {
            if (!world.Fault(loss) && !IsOff)
            {
                world.After(world.Fault(0.05) ? world.Between(0.5, 40) : world.Between(0.005, 0.15), message);
            }
        }
    }
}

/// <summary>
/// One scan at a terminal, and the third book: what it asked for, what it was told and has shown. It repeats its request until it is
/// answered, and comes back until its outcome is known to be shown.
/// </summary>
internal sealed class SimulatedScan(World world, Link link, ShopPayment payment)
{
    public const string Fingerprint = "fingerprint";

    private readonly SortedDictionary<int, PaymentResult> outcomes = [];
    private Refusal? refused;
    private PaymentId? paidBy;
    private bool isTold;
    private double waits = 1;

    /// <summary>The cashier learns that this scan was not paid, or was refused.</summary>
    public Action<Refusal?>? Unpaid { get; set; }

    private bool IsAnswered => isTold || refused is not null || paidBy is not null;

    public void Begin()
    {
        world.Log($"terminal: {payment.Id} is scanned, {payment.Request.AmountFen} fen, order {payment.Request.OrderNumber ?? "none"}");
        Send();
        world.After(world.Between(15, 45), ComeBack);
    }

    public void Cancel()
    {
        world.Log($"terminal: the cashier cancels {payment.Id}");
        for (var sends = 1 + world.Pick(3); sends > 0; sends--)
        {
            link.Carry(() => payment.Feed(new PaymentInput.Cancel("terminal")));
        }
    }

    /// <summary>Firmware at fault: a number that was used, with something else.</summary>
    public void SendOtherContents()
    {
        if (isTold)
        {
            var request = payment.Request;
            var other = world.Pick(3) switch
            {
                0 => request with { AmountFen = request.AmountFen + 1 },
                1 => request with { OrderNumber = "another" },
                _ => request,
            };
            link.Carry(() => payment.Requested(
                other,
                ReferenceEquals(other, request) ? "another code" : Fingerprint,
                answer => Require(answer.Refusal?.Code is RefusalCode.RequestConflict or RefusalCode.Busy, $"I2: {payment.Id} was asked for with other contents and answered {answer}")));
        }
    }

    public void Told(PaymentView view)
    {
        if (view.Id != payment.Id)
        {
            Require(view.Result == PaymentResult.Approved, $"I13: {payment.Id} was told that {view.Id} had paid, and that is {view.Result}");
            paidBy = view.Id;
            return;
        }

        Require(view.AmountFen == payment.Request.AmountFen, $"I2: {payment.Id} was told another amount");
        world.Log($"terminal: {payment.Id} is told {view.Stage}{(view.Revision > 0 ? $", {view.Result}, revision {view.Revision}" : "")}");
        isTold = true;
        if (view.Stage == PaymentStage.Final)
        {
            Final(view);
        }
    }

    public void Told(Refusal refusal)
    {
        world.Log($"terminal: {payment.Id} is refused: {refusal.Code}");
        if (refusal.RetryAfter == TimeSpan.Zero && !IsAnswered)
        {
            refused = refusal;
            Unpaid?.Invoke(refusal);
        }
    }

    /// <summary>At rest: the terminal knows what the ledger knows, and nothing else.</summary>
    public void Check(IReadOnlyList<ShopPayment> all)
    {
        Require(IsAnswered, $"{payment.Id}: the terminal was never answered");
        var outcome = payment.Ledger.State?.Outcome;
        Require(outcome is not null || outcomes.Count == 0, $"I1: {payment.Id}: the terminal was told an outcome that nobody has");
        Require(
            outcome is null || (outcomes.Count > 0 && outcomes.Last() is var last && last.Key == outcome.Revision && last.Value == outcome.Result),
            $"{payment.Id}: the ledger ends with {outcome?.Result}, the terminal was told {string.Join(", ", outcomes.Values)}");
        Require(
            paidBy is null || all.Any(p => p.Id == paidBy && p.Ledger.State!.Outcome!.Result == PaymentResult.Approved),
            $"I13: {payment.Id} was told that {paidBy} had paid, and it has not");
    }

    private void Final(PaymentView view)
    {
        if (outcomes.TryGetValue(view.Revision, out var before))
        {
            Require(before == view.Result, $"I2: revision {view.Revision} of {payment.Id} was {before} and is {view.Result}");
        }
        else
        {
            foreach (var (revision, told) in outcomes)
            {
                var (earlier, later) = revision < view.Revision ? (told, view.Result) : (view.Result, told);
                Require(later == PaymentResult.Refunded && earlier is PaymentResult.NotCharged or PaymentResult.Declined, $"I2: {earlier} became {later}");
            }

            outcomes.Add(view.Revision, view.Result);
            if (outcomes.Count == 1 && view.Result != PaymentResult.Approved)
            {
                Unpaid?.Invoke(null);
            }
        }

        link.Carry(() => payment.Feed(new PaymentInput.Shown(view.Revision)));
    }

    private void Send()
    {
        if (!IsAnswered)
        {
            link.Carry(() => payment.Requested(payment.Request, Fingerprint, payment.Answer));
            world.After(TimeSpan.FromSeconds(waits), Send);
            waits = Math.Min(waits * 2, 20);
        }
    }

    /// <summary>A new session: the welcome brings what is not settled, or not known to be shown.</summary>
    private void ComeBack()
    {
        link.Carry(payment.Welcome);
        if (!payment.IsAtRest)
        {
            world.After(world.Calm ? TimeSpan.FromSeconds(60) : world.Between(15, 60), ComeBack);
        }
    }
}
