using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Merchants;

/// <summary>Where an adapter puts what its channel itself gave out for an account: Shouqianba's terminal number and its key of the day.</summary>
public interface IAccountKeeper
{
    /// <summary>
    /// Puts these fields over the account's own, settings and secrets alike (<see cref="AccountField.IsSecret"/>). When it returns true they are
    /// durable, and <see cref="IChannelAccounts.Find"/> gives a new instance that has them.
    /// </summary>
    /// <returns>False: the account is another than <paramref name="account"/> by now, and nothing was kept.</returns>
    Task<bool> Keep(ChannelAccount account, IReadOnlyDictionary<string, SecretText> fields, CancellationToken cancellationToken);
}

/// <summary>A channel whose accounts begin with a code that is used up, such as Shouqianba's activation code (激活码), which is one of the account's secrets.</summary>
public interface IAccountActivation
{
    /// <summary><see cref="IPaymentChannel.Name"/>.</summary>
    string Name { get; }

    /// <summary>
    /// Gives the code to the channel and what the channel gave for it to <see cref="IAccountKeeper"/>. Never throws for what the channel answers.
    /// </summary>
    Task<AccountCheck> Activate(ChannelAccount account, CancellationToken cancellationToken);
}
