using DeviceHub.Core.People;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Dashboard.Shared;

/// <summary>
/// What a person does on one page: one deed at a time, as who is signed in, if that one still may when it is done. Buttons are not there for who may
/// not; that is asked again here, since what a browser sends is its own. A fault goes into the log and stays here for the page to say. The second of two
/// clicks may also come when the first one's deed is done and its button not yet gone from the screen: each page looks whether it still asks.
/// </summary>
public sealed partial class Doing(Me me, ILogger<Doing> logger)
{
    /// <summary>One runs.</summary>
    public bool Busy { get; private set; }

    /// <summary>Why the last one failed; null: it did not.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>What failed is no longer of interest.</summary>
    public void Forget() => Fault = null;

    /// <returns>False: it failed, or was left out because another one runs, such as that of the first of two clicks.</returns>
    public async Task<bool> Do(string policy, Func<Actor, Task> deed)
    {
        if (Busy)
        {
            return false;
        }

        (Busy, Fault) = (true, null);
        try
        {
            await deed(await me.Actor(policy));
            return true;
        }
        catch (Exception e)
        {
            LogNotDone(e, await me.Name());
            Fault = e;
            return false;
        }
        finally
        {
            Busy = false;
        }
    }

    [LoggerMessage(EventName = "PageDeedFailed", Level = LogLevel.Warning, Message = "What {Person} asked for on a page could not be done")]
    private partial void LogNotDone(Exception e, string person);
}
